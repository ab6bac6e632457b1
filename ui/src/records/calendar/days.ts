import type { CalendarSpan, Field, ObjectType } from '@/api';
import { addDays, type Day, utcToZoned, zonedToUtc } from '@/lib/day';
import { canEdit, canRead } from '@/metadata';

const DAY_ONLY = /^\d{4}-\d{2}-\d{2}$/;
export const isDay = (text: string | undefined): text is Day =>
  text !== undefined && DAY_ONLY.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));

/** 0 is Monday. */
export const weekday = (day: Day): number => (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
export const monthOf = (day: Day): Day => `${day.slice(0, 7)}-01`;

export function addMonths(day: Day, by: number): Day {
  const [year = 0, month = 1] = day.split('-').map(Number);
  return new Date(Date.UTC(year, month - 1 + by, 1)).toISOString().slice(0, 10);
}

/** The days on screen: whole weeks around a month, one week, or the days of a month alone. */
export function daysShown(span: CalendarSpan, day: Day): Day[] {
  if (span === 'week') {
    const monday = addDays(day, -weekday(day));
    return Array.from({ length: 7 }, (_, at) => addDays(monday, at));
  }
  const first = monthOf(day);
  const last = addDays(addMonths(first, 1), -1);
  const from = span === 'agenda' ? first : addDays(first, -weekday(first));
  const to = span === 'agenda' ? last : addDays(last, 6 - weekday(last));
  const days: Day[] = [];
  for (let at = from; at <= to; at = addDays(at, 1)) days.push(at);
  return days;
}

/** The same span before or after. */
export const turn = (span: CalendarSpan, day: Day, by: -1 | 1): Day =>
  span === 'week' ? addDays(day, 7 * by) : addMonths(monthOf(day), by);

export const isDated = (field: Field): boolean =>
  canRead(field) && !field.personal && (field.type === 'date' || field.type === 'datetime');

/** The field of a calendar that nobody set: the one that lists are sorted by, else one that can be changed. */
export function usualDate(object: ObjectType): Field | null {
  const fields = object.fields.filter(isDated);
  const sorted = object.default_sort.map((key) => fields.find((field) => field.key === key.field));
  const own = fields.filter((field) => field.key !== 'created_at' && field.key !== 'updated_at');
  return (
    sorted.find((field) => field !== undefined && own.includes(field)) ??
    own.find((field) => canEdit(field, object)) ??
    own[0] ??
    fields[0] ??
    null
  );
}

/** The day that a value stands on. */
export const dayOfValue = (value: unknown, field: Field, timeZone: string): Day =>
  field.type === 'date' ? String(value).slice(0, 10) : utcToZoned(String(value), timeZone).day;

/** The value on another day; an instant keeps its time of day. */
export function onDay(value: unknown, field: Field, day: Day, timeZone: string): string {
  if (field.type === 'date') return day;
  const { day: from, clock } = utcToZoned(String(value), timeZone);
  const by = Date.parse(zonedToUtc(day, clock, timeZone)) - Date.parse(zonedToUtc(from, clock, timeZone));
  return new Date(Date.parse(String(value)) + by).toISOString();
}
