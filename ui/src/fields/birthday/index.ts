import { parseDay } from '@/lib/day';
import { defineKind, OPS, parsed, refused } from '../kind';
import { asBirthday, EMPTY } from './value';

export const birthdayKind = defineKind({
  type: 'birthday',
  width: 140,
  sortable: false,
  aggregate: [],
  operators: OPS.birthday,
  text(value, _, { t }) {
    const birthday = asBirthday(value);
    if (birthday === null) return '';
    const pad = (part: number) => String(part).padStart(2, '0');
    const day = `${birthday.year === null ? '' : `${birthday.year}-`}${pad(birthday.month)}-${pad(birthday.day)}`;
    if (birthday.calendar === 'solar') return day;
    return t(birthday.leap ? 'fields:birthday.asLunarLeap' : 'fields:birthday.asLunar', { day });
  },
  parse(text) {
    if (text.trim() === '') return parsed(null);
    const short = /^(\d{1,2})-(\d{1,2})$/.exec(text.trim());
    if (short !== null) return parsed({ ...EMPTY, month: Number(short[1]), day: Number(short[2]) });
    const day = parseDay(text);
    if (day === null) return refused;
    const [year, month, date] = day.split('-').map(Number);
    return parsed({ ...EMPTY, year, month, day: date });
  },
});
