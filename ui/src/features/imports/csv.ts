/** Cells as CSV, with the mark by which spreadsheets and the importer know UTF-8. */
export const csvOf = (rows: readonly (readonly string[])[]): string =>
  `\ufeff${rows.map((cells) => cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')).join('\r\n')}\r\n`;

/** The name of the file of corrected rows: that of the first one, once marked. */
export const retryName = (name: string): string => {
  const bare = name.replace(/(\.(csv|tsv|txt|xlsx|ndjson|jsonl|parquet))?(\.gz)?$/i, '');
  return `${bare.replace(/-retry$/, '')}-retry.csv`;
};
