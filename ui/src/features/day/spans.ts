import { addDays, type Day } from '@/lib/day';

const weekday = (day: Day): number => (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
const monday = (day: Day): Day => addDays(day, -weekday(day));

/** The seven days of the week of a day, from Monday. */
export const weekOf = (day: Day): Day[] => Array.from({ length: 7 }, (_, at) => addDays(monday(day), at));

/** The days of the month of a day, filled up to whole weeks. */
export function monthOf(day: Day): Day[] {
  const first = monday(`${day.slice(0, 7)}-01`);
  const next = stepOf(`${day.slice(0, 7)}-01`, 'month', 1);
  const days: Day[] = [];
  for (let at = first; at < next || days.length % 7 !== 0; at = addDays(at, 1)) days.push(at);
  return days;
}

/** The same place in another week or month; the 31st becomes the last day of a month that is shorter. */
export function stepOf(day: Day, view: 'week' | 'month', by: number): Day {
  if (view === 'week') return addDays(day, 7 * by);
  const first = new Date(`${day.slice(0, 7)}-01T00:00:00Z`);
  first.setUTCMonth(first.getUTCMonth() + by);
  const last = new Date(first);
  last.setUTCMonth(last.getUTCMonth() + 1, 0);
  first.setUTCDate(Math.min(Number(day.slice(8)), last.getUTCDate()));
  return first.toISOString().slice(0, 10);
}
