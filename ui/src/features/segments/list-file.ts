/** The rows of a file of values: comma, semicolon or tab between cells, quotes as spreadsheets write them. */
export function readRows(text: string): string[][] {
  const body = text.replace(/^\ufeff/, '');
  const head = body.slice(0, body.search(/[\r\n]|$/));
  const divider = [',', ';', '\t'].reduce((best, one) =>
    head.split(one).length > head.split(best).length ? one : best,
  );
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  const endCell = () => {
    row.push(cell.trim());
    cell = '';
  };
  const endRow = () => {
    endCell();
    if (row.some((one) => one !== '')) rows.push(row);
    row = [];
  };
  for (let at = 0; at < body.length; at += 1) {
    const sign = body.charAt(at);
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (body.charAt(at + 1) === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (sign === '"' && cell.trim() === '') {
      cell = '';
      quoted = true;
    } else if (sign === divider) endCell();
    else if (sign === '\n') endRow();
    else if (sign !== '\r') cell += sign;
  }
  endRow();
  return rows;
}

/** A text file as people have it: UTF-8, else the encoding of Chinese spreadsheets. */
export function decodeText(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('gb18030').decode(bytes);
  }
}

const SHAPES: [field: string, shape: RegExp][] = [
  ['id', /^cus_/],
  ['email', /^[^@\s]+@[^@\s]+\.[^@\s]+$/],
  ['phone', /^(\+?86[\s-]*)?1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}$/],
];

/** What most values of a column look like; null where they look like nothing in particular. */
export function guessField(values: readonly string[]): string | null {
  const some = values.filter((value) => value !== '').slice(0, 200);
  const found = SHAPES.find(([, shape]) => some.filter((value) => shape.test(value)).length * 2 > some.length);
  return found?.[0] ?? null;
}

/** The column that most looks like something by which customers are found. */
export function guessColumn(rows: readonly (readonly string[])[]): number {
  const width = Math.max(0, ...rows.slice(0, 200).map((row) => row.length));
  for (let at = 0; at < width; at += 1) if (guessField(rows.slice(1).map((row) => row[at] ?? '')) !== null) return at;
  return 0;
}
