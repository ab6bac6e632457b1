import { parseDay, zonedToUtc } from '@/lib/day';
import { asText } from '../base/value-text';
import { defineKind, OPS, parsed, refused } from '../kind';

const WITH_TIME = /^(\S+)[ T](\d{1,2}):(\d{2})/;

export const datetimeKind = defineKind({
  type: 'datetime',
  width: 150,
  aggregate: ['min', 'max'],
  operators: OPS.date,
  text: (value, _, { fmt }) => fmt.datetime(asText(value)),
  parse(text, _, { fmt }) {
    if (text.trim() === '') return parsed(null);
    const found = WITH_TIME.exec(text.trim());
    const day = parseDay(found?.[1] ?? text);
    if (day === null) return refused;
    const clock = found === null ? '00:00' : `${found[2]?.padStart(2, '0')}:${found[3]}`;
    return parsed(zonedToUtc(day, clock, fmt.timeZone));
  },
});
