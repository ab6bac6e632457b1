import type { Condition } from '@/api';
import { isAll, isAny, isField, isNot, isRecord, isTrait } from '@/records/conditions';

const NEEDS_VALUE = new Set(['!=', 'not_in', 'not_contains']);

/** Whether a condition says "is not": such a leaf holds only for those who have a value at all. */
export function saysIsNot(where: Condition | null): boolean {
  if (where === null) return false;
  if (isAll(where)) return where.all.some(saysIsNot);
  if (isAny(where)) return where.any.some(saysIsNot);
  if (isNot(where)) return saysIsNot(where.not);
  if (isField(where) || isTrait(where)) return NEEDS_VALUE.has(where.op);
  if (isRecord(where)) return where.where !== undefined && saysIsNot(where.where);
  return false;
}
