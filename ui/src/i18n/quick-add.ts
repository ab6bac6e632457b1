import { addDays, type Day, parseDay } from '@/lib/day';

/** What one line of quick add says: 明天下午3点 给王小姐回电 !高, or: call Ms Wang tomorrow 3pm !high. */
export interface QuickAdd {
  subject: string;
  day: Day | null;
  /** "HH:MM", null for the whole day. */
  clock: string | null;
  priority: 'low' | 'normal' | 'high' | 'urgent';
  repeat: 'none' | 'daily' | 'weekdays' | 'weekly' | 'monthly' | 'yearly';
}

const DIGITS: Record<string, number> = {
  零: 0,
  一: 1,
  二: 2,
  两: 2,
  三: 3,
  四: 4,
  五: 5,
  六: 6,
  七: 7,
  八: 8,
  九: 9,
  十: 10,
};
const NUMBER = '(?:\\d{1,3}|[一二两三四五六七八九十]{1,3})';

/** 15, 三, 十二, 二十三. */
function numberOf(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const at = text.indexOf('十');
  if (at < 0) return DIGITS[text] ?? 0;
  const tens = at === 0 ? 1 : (DIGITS[text.slice(0, at)] ?? 1);
  return tens * 10 + (DIGITS[text.slice(at + 1)] ?? 0);
}

const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
function weekdayOf(text: string): number {
  const chinese = '日一二三四五六'.indexOf(text.replace('天', '日'));
  return chinese >= 0 ? chinese : WEEKDAYS.indexOf(text.toLowerCase().slice(0, 3));
}
const dayOfWeek = (day: Day): number => new Date(`${day}T00:00:00Z`).getUTCDay();

/** The weekday of this week or of one `weeks` later, weeks beginning on Monday. */
function inWeek(today: Day, weekday: number, weeks: number): Day {
  const monday = addDays(today, -((dayOfWeek(today) + 6) % 7));
  return addDays(monday, ((weekday + 6) % 7) + weeks * 7);
}
/** The next such weekday, today not counted. */
const nextWeekday = (today: Day, weekday: number): Day => addDays(today, (weekday - dayOfWeek(today) + 7) % 7 || 7);

const endOfMonth = (today: Day): Day => {
  const at = new Date(`${today.slice(0, 7)}-01T00:00:00Z`);
  at.setUTCMonth(at.getUTCMonth() + 1, 0);
  return at.toISOString().slice(0, 10);
};

/** A day of this year, or of the next when it has passed. */
function dayOfYear(today: Day, month: number, date: number): Day | null {
  const of = (year: number) => parseDay(`${year}-${month}-${date}`);
  const year = Number(today.slice(0, 4));
  const first = of(year);
  return first !== null && first < today ? of(year + 1) : first;
}

type Rule<T> = [RegExp, (found: RegExpExecArray, today: Day) => T | null];

const DAYS: Rule<Day>[] = [
  [/\d{4}[-/.]\d{1,2}[-/.]\d{1,2}/, ([text]) => parseDay(text)],
  [/大后天/, (_, today) => addDays(today, 3)],
  [/后天/, (_, today) => addDays(today, 2)],
  [/明[天日早晚]/, (_, today) => addDays(today, 1)],
  [/今[天日晚早]/, (_, today) => today],
  [/(下*)(?:个)?(?:周|星期|礼拜)([一二三四五六日天])/, weekOf],
  [new RegExp(`(${NUMBER})\\s*天[之以]?后`), ([, n = ''], today) => addDays(today, numberOf(n))],
  [new RegExp(`(${NUMBER})\\s*(?:周|星期|个星期)[之以]?后`), ([, n = ''], today) => addDays(today, 7 * numberOf(n))],
  [/下周(?![一二三四五六日天])/, (_, today) => inWeek(today, 1, 1)],
  [/月底/, (_, today) => endOfMonth(today)],
  [
    new RegExp(`(${NUMBER})月(${NUMBER})[日号]?`),
    ([, month = '', date = ''], today) => dayOfYear(today, numberOf(month), numberOf(date)),
  ],
  [/(\d{1,2})[号日]/, ([, date = ''], today) => dayOfMonth(today, Number(date))],
  [/\bday after tomorrow\b/i, (_, today) => addDays(today, 2)],
  [/\b(?:tomorrow|tmr)\b/i, (_, today) => addDays(today, 1)],
  [/\b(?:today|tonight)\b/i, (_, today) => today],
  [/\bin (\d{1,3}) days?\b/i, ([, n = ''], today) => addDays(today, Number(n))],
  [/\bin (\d{1,2}) weeks?\b/i, ([, n = ''], today) => addDays(today, 7 * Number(n))],
  [/\bnext week\b/i, (_, today) => inWeek(today, 1, 1)],
  [/\bnext (mon|tue|wed|thu|fri|sat|sun)[a-z]*\b/i, ([, name = ''], today) => inWeek(today, weekdayOf(name), 1)],
  [
    /\b(?:on )?(mon|tue|wed|thu|fri|sat|sun)(?:day|sday|nesday|rsday|urday)?\b/i,
    ([, name = ''], today) => nextWeekday(today, weekdayOf(name)),
  ],
  [/\b(\d{1,2})\/(\d{1,2})\b/, ([, month = '', date = ''], today) => dayOfYear(today, Number(month), Number(date))],
];

function weekOf([, next = '', name = '']: RegExpExecArray, today: Day): Day {
  const weekday = weekdayOf(name);
  return next === '' ? onOrAfter(today, weekday) : inWeek(today, weekday, next.length);
}
const onOrAfter = (today: Day, weekday: number): Day => addDays(today, (weekday - dayOfWeek(today) + 7) % 7);

/** The 15th of this month, or of the next when it has passed. */
function dayOfMonth(today: Day, date: number): Day | null {
  const here = parseDay(`${today.slice(0, 7)}-${date}`);
  if (here === null || here >= today) return here;
  const next = addDays(endOfMonth(today), 1).slice(0, 7);
  return parseDay(`${next}-${date}`);
}

const two = (n: number): string => String(n).padStart(2, '0');
function clockOf(hour: number, minute: number, half: string): string | null {
  const late = /下午|晚|傍晚|pm/i.test(half);
  let at = hour;
  if (late && at < 12) at += 12;
  if (/中午/.test(half) && at < 11) at += 12;
  if (/上午|早|凌晨|am/i.test(half) && at === 12) at = 0;
  return at > 23 || minute > 59 ? null : `${two(at)}:${two(minute)}`;
}

const HALF = '(上午|早上|早晨|凌晨|中午|下午|傍晚|晚上|今晚|明晚|晚)?\\s*';
const TIMES: Rule<string>[] = [
  [
    /\b(?:at )?(\d{1,2})(?::(\d{2}))?\s*(am|pm)\b/i,
    ([, hour = '', minute = '0', half = '']) => clockOf(Number(hour), Number(minute), half),
  ],
  [
    new RegExp(`${HALF}(?:\\bat )?(\\d{1,2})[:：](\\d{2})`, 'i'),
    ([, half = '', hour = '', minute = '']) => clockOf(Number(hour), Number(minute), half),
  ],
  [
    new RegExp(`${HALF}(${NUMBER})[点时](?:(半)|(一刻)|(${NUMBER})分?)?(?!后)`),
    ([, half = '', hour = '', thirty, quarter, minute]) =>
      clockOf(numberOf(hour), minutesOf(thirty, quarter, minute), half),
  ],
];

function minutesOf(thirty?: string, quarter?: string, minute?: string): number {
  if (thirty !== undefined) return 30;
  if (quarter !== undefined) return 15;
  return minute === undefined ? 0 : numberOf(minute);
}

const REPEATS: [RegExp, QuickAdd['repeat']][] = [
  [/每(?:个)?工作日|\b(?:every|each) (?:weekday|workday)\b/i, 'weekdays'],
  [/每[天日]|\b(?:every|each) day\b|\bdaily\b/i, 'daily'],
  [/每(?:个)?(?:周|星期)(?=[一二三四五六日天])|每(?:个)?(?:周|星期)|\b(?:every|each) week\b|\bweekly\b/i, 'weekly'],
  [/\b(?:every|each) (?=(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\b)/i, 'weekly'],
  [/每(?:个)?月|\b(?:every|each) month\b|\bmonthly\b/i, 'monthly'],
  [/每年|\b(?:every|each) year\b|\byearly\b/i, 'yearly'],
];
const PRIORITIES: [RegExp, QuickAdd['priority']][] = [
  [/[!！]{3}|[!！](?:紧急|急|urgent\b)/i, 'urgent'],
  [/[!！]{2}|[!！](?:高|high\b)/i, 'high'],
  [/[!！](?:低|low\b)/i, 'low'],
  [/[!！](?:普通|normal\b)/i, 'normal'],
];

export function readQuickAdd(text: string, today: Day): QuickAdd {
  let rest = ` ${text} `;
  const take = (found: RegExpExecArray, keep = '') => {
    rest = `${rest.slice(0, found.index)} ${keep}${rest.slice(found.index + found[0].length)}`;
  };
  const first = <T>(rules: Rule<T>[]): T | null => {
    for (const [pattern, read] of rules) {
      const found = pattern.exec(rest);
      const value = found === null ? null : read(found, today);
      if (found === null || value === null) continue;
      take(found);
      return value;
    }
    return null;
  };
  const flag = <T>(rules: [RegExp, T][]): T | null => {
    for (const [pattern, value] of rules) {
      const found = pattern.exec(rest);
      if (found === null) continue;
      // "every Monday" leaves its weekday behind for the day.
      const weekday =
        value === 'weekly' &&
        /周|星期/.test(found[0]) &&
        /^[一二三四五六日天]/.test(rest.slice(found.index + found[0].length));
      take(found, weekday ? '周' : '');
      return value;
    }
    return null;
  };
  const priority = flag(PRIORITIES) ?? 'normal';
  const repeat = flag(REPEATS) ?? 'none';
  // An evening is a day and a part of it.
  const evening = /[今明]晚/.exec(rest)?.[0];
  const clock = first(evening === undefined ? TIMES : eveningTimes);
  const day = first(DAYS);
  const subject = rest
    .replace(/\s+/g, ' ')
    .replace(/^[\s,，;；]+|[\s,，;；]+$/g, '')
    .replace(/\bat$|\bon$/i, '')
    .trim();
  const anyDay = clock !== null || repeat !== 'none' ? today : null;
  return { subject, day: day ?? anyDay, clock, priority, repeat };
}

/** "今晚8点": the evening stays for the day, and makes the hour a late one. */
const eveningTimes: Rule<string>[] = [
  [
    /(?<=晚(?:上)?\s*)(\d{1,2})[:：](\d{2})/,
    ([, hour = '', minute = '']) => clockOf(Number(hour), Number(minute), '晚'),
  ],
  [
    new RegExp(`(?<=晚(?:上)?\\s*)(${NUMBER})[点时](?:(半)|(一刻)|(${NUMBER})分?)?`),
    ([, hour = '', thirty, quarter, minute]) => clockOf(numberOf(hour), minutesOf(thirty, quarter, minute), '晚'),
  ],
  ...TIMES,
];
