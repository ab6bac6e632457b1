import { dayInZone, daysBetween } from './day';

export interface Money {
  /** A decimal, never a float: "12.50". */
  amount: string;
  currency: string;
}

export interface FormatSettings {
  locale: string;
  /** The workspace's zone: every instant is shown in it, whatever the browser's own zone is. */
  timeZone: string;
  currency: string;
}

export interface MoneyOptions {
  compact?: boolean;
  /** Keep the decimals of whole amounts, for columns that should line up. */
  fixed?: boolean;
}

/** Words and figures in one language, zone and currency. Pure: same input, same text. */
export interface Formatter extends FormatSettings {
  money(value: Money | null | undefined, options?: MoneyOptions): string;
  /** "¥", for the left of an input. */
  currencySign(currency?: string): string;
  number(value: number | null | undefined, digits?: number): string;
  compact(value: number | null | undefined): string;
  /** 0.376 is "37.6%". */
  percent(value: number | null | undefined, digits?: number): string;
  /** A calendar day, "2026-11-11", or the day of an instant in the workspace's zone. */
  date(value: string | null | undefined): string;
  /** Without the year when it is the current one. */
  shortDate(value: string | null | undefined): string;
  month(value: string | null | undefined): string;
  datetime(value: string | null | undefined): string;
  time(value: string | null | undefined): string;
  /** "2 hours ago", "yesterday 18:42", or the date. */
  relative(value: string | null | undefined, now?: Date): string;
  duration(seconds: number | null | undefined): string;
  bytes(value: number | null | undefined): string;
  list(values: readonly string[]): string;
  /** Today in the workspace's zone. */
  today(now?: Date): string;
}

const EMPTY = '';
const DAY_ONLY = /^\d{4}-\d{2}-\d{2}$/;

function memo<T>(make: (key: string) => T): (key: string) => T {
  const kept = new Map<string, T>();
  return (key) => {
    let value = kept.get(key);
    if (value === undefined) {
      value = make(key);
      kept.set(key, value);
    }
    return value;
  };
}

function instant(value: string): Date | null {
  const time = Date.parse(DAY_ONLY.test(value) ? `${value}T00:00:00Z` : value);
  return Number.isNaN(time) ? null : new Date(time);
}

function moneyMode(options: MoneyOptions | undefined): 'compact' | 'fixed' | 'plain' {
  if (options?.compact) return 'compact';
  return options?.fixed ? 'fixed' : 'plain';
}

export function createFormatter(settings: FormatSettings): Formatter {
  const { locale, timeZone } = settings;
  const chinese = locale.startsWith('zh');
  const numbers = memo((digits) => new Intl.NumberFormat(locale, { maximumFractionDigits: Number(digits) }));
  const percents = memo(
    (digits) => new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: Number(digits) }),
  );
  const compacts = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 });
  const moneys = memo((key) => {
    const [currency = settings.currency, mode] = key.split('|');
    const base: Intl.NumberFormatOptions = { style: 'currency', currency, currencyDisplay: 'narrowSymbol' };
    if (mode === 'compact')
      return new Intl.NumberFormat(locale, { ...base, notation: 'compact', maximumFractionDigits: 1 });
    if (mode === 'fixed') return new Intl.NumberFormat(locale, base);
    return new Intl.NumberFormat(locale, {
      ...base,
      trailingZeroDisplay: 'stripIfInteger',
    } as Intl.NumberFormatOptions);
  });
  const zoned = (options: Intl.DateTimeFormatOptions, zone = timeZone) =>
    new Intl.DateTimeFormat(locale, { ...options, timeZone: zone });
  // Chinese work surfaces read ISO-like days best; English gets its own order with the month in letters.
  const day: Intl.DateTimeFormatOptions = { year: 'numeric', month: 'short', day: 'numeric' };
  const dayShort: Intl.DateTimeFormatOptions = { month: 'short', day: 'numeric' };
  const clock: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hour12: false };
  const dayFormats = {
    day: zoned(day),
    dayUtc: zoned(day, 'UTC'),
    short: zoned(dayShort),
    shortUtc: zoned(dayShort, 'UTC'),
  };
  const clockFormat = zoned(clock);
  const relativeFormat = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const listFormat = new Intl.ListFormat(locale, { type: 'conjunction', style: chinese ? 'narrow' : 'short' });
  const monthFormat = zoned({ year: 'numeric', month: 'short' }, 'UTC');

  const dayText = (value: string): string => (DAY_ONLY.test(value) ? value : dayInZone(new Date(value), timeZone));

  const formatter: Formatter = {
    ...settings,
    money(value, options) {
      if (value === null || value === undefined) return EMPTY;
      const mode = moneyMode(options);
      // The string form keeps every digit of a decimal amount.
      return moneys(`${value.currency || settings.currency}|${mode}`).format(value.amount as unknown as number);
    },
    currencySign: (currency = settings.currency) =>
      moneys(`${currency}|fixed`)
        .formatToParts(0)
        .find((part) => part.type === 'currency')?.value ?? currency,
    number: (value, digits = 2) =>
      value === null || value === undefined ? EMPTY : numbers(String(digits)).format(value),
    compact: (value) => (value === null || value === undefined ? EMPTY : compacts.format(value)),
    percent: (value, digits = 1) =>
      value === null || value === undefined ? EMPTY : percents(String(digits)).format(value),
    date(value) {
      if (!value || instant(value) === null) return EMPTY;
      if (chinese) return dayText(value);
      return DAY_ONLY.test(value)
        ? dayFormats.dayUtc.format(instant(value) as Date)
        : dayFormats.day.format(new Date(value));
    },
    shortDate(value) {
      if (!value || instant(value) === null) return EMPTY;
      if (dayText(value).slice(0, 4) !== formatter.today().slice(0, 4)) return formatter.date(value);
      if (chinese) return dayText(value).slice(5);
      return DAY_ONLY.test(value)
        ? dayFormats.shortUtc.format(instant(value) as Date)
        : dayFormats.short.format(new Date(value));
    },
    month(value) {
      if (!value) return EMPTY;
      const at = instant(`${value.slice(0, 7)}-01`);
      if (at === null) return EMPTY;
      return chinese ? value.slice(0, 7) : monthFormat.format(at);
    },
    datetime(value) {
      if (!value || instant(value) === null) return EMPTY;
      if (DAY_ONLY.test(value)) return formatter.date(value);
      return `${formatter.date(value)} ${formatter.time(value)}`;
    },
    time(value) {
      const at = value ? instant(value) : null;
      return at === null ? EMPTY : clockFormat.format(at);
    },
    relative(value, now = new Date()) {
      const at = value ? instant(value) : null;
      if (!value || at === null) return EMPTY;
      const today = dayInZone(now, timeZone);
      const days = daysBetween(dayText(value), today);
      if (DAY_ONLY.test(value))
        return Math.abs(days) <= 30 ? relativeFormat.format(-days, 'day') : formatter.date(value);
      const seconds = (now.getTime() - at.getTime()) / 1000;
      if (Math.abs(seconds) < 60) return relativeFormat.format(0, 'second');
      if (Math.abs(seconds) < 3600) return relativeFormat.format(-Math.round(seconds / 60), 'minute');
      if (days === 0) return relativeFormat.format(-Math.round(seconds / 3600), 'hour');
      if (days === 1) return `${relativeFormat.format(-1, 'day')} ${formatter.time(value)}`;
      if (days > 0 && days <= 30) return relativeFormat.format(-days, 'day');
      return formatter.date(value);
    },
    duration(seconds) {
      if (seconds === null || seconds === undefined) return EMPTY;
      const unit = (amount: number, name: string, digits = 0) =>
        new Intl.NumberFormat(locale, {
          style: 'unit',
          unit: name,
          unitDisplay: 'short',
          maximumFractionDigits: digits,
        }).format(amount);
      if (seconds > 0 && seconds < 1) return unit(Math.round(seconds * 1000), 'millisecond');
      if (seconds < 60) return unit(seconds, 'second', 1);
      if (seconds < 3600)
        return `${unit(Math.floor(seconds / 60), 'minute')} ${unit(Math.round(seconds % 60), 'second')}`;
      return `${unit(Math.floor(seconds / 3600), 'hour')} ${unit(Math.round((seconds % 3600) / 60), 'minute')}`;
    },
    bytes(value) {
      if (value === null || value === undefined) return EMPTY;
      const units = ['B', 'kB', 'MB', 'GB', 'TB'];
      let size = value;
      let at = 0;
      while (size >= 1000 && at < units.length - 1) {
        size /= 1000;
        at++;
      }
      return `${numbers(size < 10 && at > 0 ? '1' : '0').format(size)} ${units[at]}`;
    },
    list: (values) => listFormat.format(values as string[]),
    today: (now = new Date()) => dayInZone(now, timeZone),
  };
  return formatter;
}
