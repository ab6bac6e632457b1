/** Calendar days as text "2026-11-11": no zone, no clock, safe to compare as strings. */
export type Day = string;

const zoneFormats = new Map<string, Intl.DateTimeFormat>();

/** The calendar day that an instant falls on in a zone. */
export function dayInZone(at: Date, timeZone: string): Day {
  let format = zoneFormats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
    zoneFormats.set(timeZone, format);
  }
  return format.format(at);
}

const toUtc = (day: Day): number => Date.parse(`${day}T00:00:00Z`);

export function addDays(day: Day, count: number): Day {
  return new Date(toUtc(day) + count * 86_400_000).toISOString().slice(0, 10);
}

/** Whole days from `from` to `to`; negative when `to` is earlier. */
export function daysBetween(from: Day, to: Day): number {
  return Math.round((toUtc(to) - toUtc(from)) / 86_400_000);
}

const ORDERED = /^(\d{4})[-/.\u5e74](\d{1,2})[-/.\u6708](\d{1,2})\u65e5?$/;

/** Reads 2026-11-11, 2026/11/1, 2026.11.1 and the Chinese form; null for anything else or a day that does not exist. */
export function parseDay(text: string): Day | null {
  const found = ORDERED.exec(text.trim());
  if (found === null) return null;
  const [, year = '', month = '', date = ''] = found;
  const day = `${year}-${month.padStart(2, '0')}-${date.padStart(2, '0')}`;
  const time = toUtc(day);
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== day) return null;
  return day;
}

/** The instant of a wall-clock time in a zone, as RFC 3339 in UTC. `clock` is "HH:MM". */
export function zonedToUtc(day: Day, clock: string, timeZone: string): string {
  const guess = Date.parse(`${day}T${clock.length === 5 ? `${clock}:00` : clock}Z`);
  const offset = (at: number) => {
    const parts = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    }).formatToParts(new Date(at));
    const of = (type: string) => Number(parts.find((part) => part.type === type)?.value ?? 0);
    return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second')) - at;
  };
  const first = guess - offset(guess);
  return new Date(guess - offset(first)).toISOString().replace('.000Z', 'Z');
}

/** Day and "HH:MM" of an instant in a zone. */
export function utcToZoned(iso: string, timeZone: string): { day: Day; clock: string } {
  const at = new Date(iso);
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(at);
  return { day: dayInZone(at, timeZone), clock };
}
