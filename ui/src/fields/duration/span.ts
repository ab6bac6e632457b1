const UNITS: readonly (readonly [RegExp, number])[] = [
  [/^(seconds?|secs?|s|\u79d2\u949f?)/, 1],
  [/^(minutes?|mins?|m|\u5206\u949f?)/, 60],
  [/^(hours?|hrs?|h|\u5c0f\u65f6|\u65f6)/, 3600],
  [/^(days?|d|\u5929|\u65e5)/, 86400],
];

const two = (n: number) => String(n).padStart(2, '0');

/** 5400 seconds as "1:30", 5415 as "1:30:15". */
export function spanText(seconds: number): string {
  const n = Math.abs(Math.round(seconds));
  const text = `${Math.floor(n / 3600)}:${two(Math.floor(n / 60) % 60)}${n % 60 === 0 ? '' : `:${two(n % 60)}`}`;
  return seconds < 0 ? `-${text}` : text;
}

/** Seconds of "1:30", "1:30:15", "90m", "1h 30m"; null for what is no length of time. A bare number is minutes here. */
export function parseSpan(text: string): number | null {
  let rest = text.trim().toLowerCase().replace('\uff1a', ':');
  const sign = rest.startsWith('-') ? -1 : 1;
  rest = rest.replace(/^-/, '').trim();
  const clock = /^(\d+):([0-5]\d)(?::([0-5]\d))?$/.exec(rest);
  if (clock !== null) return sign * (Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3] ?? 0));
  if (/^\d+(\.\d+)?$/.test(rest)) return sign * Math.round(Number(rest) * 60);
  let total = 0;
  if (rest === '') return null;
  while (rest !== '') {
    const number = /^\d+(\.\d+)?/.exec(rest)?.[0];
    if (number === undefined) return null;
    rest = rest.slice(number.length).trim();
    const unit = UNITS.find(([name]) => name.test(rest));
    if (unit === undefined) return null;
    total += Number(number) * unit[1];
    rest = rest.replace(unit[0], '').trim();
  }
  return sign * Math.round(total);
}
