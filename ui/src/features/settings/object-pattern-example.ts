const datePart = (part: string, day: string): string | null => {
  if (!/^(yyyy|yy|mm|dd)+$/.test(part)) return null;
  const [year = '', month = '', date = ''] = day.split('-');
  return part.replace(/yyyy|yy|mm|dd/g, (piece) => {
    if (piece === 'yyyy') return year;
    if (piece === 'yy') return year.slice(2);
    return piece === 'mm' ? month : date;
  });
};

/** The n-th number of a pattern on a day, as the server prints it; null for a pattern that it refuses. */
export function patternExample(pattern: string, day: string, n = 1): string | null {
  let numbers = 0;
  let wrong = false;
  const text = pattern.replace(/\{([^}]*)\}/g, (_, part: string) => {
    if (/^0+$/.test(part)) {
      numbers += 1;
      return String(n).padStart(part.length, '0');
    }
    const date = datePart(part, day);
    wrong ||= date === null;
    return date ?? '';
  });
  return wrong || numbers !== 1 || text.includes('{') ? null : text;
}
