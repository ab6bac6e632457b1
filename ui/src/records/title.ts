import type { ObjectType } from '@/api';

const NUMBERED = new Set(['order', 'order_line', 'refund', 'variant']);

/** Names get a sign of their own; numbers such as SO-20931 would all get the same. */
export const hasAvatar = (object: ObjectType): boolean => !NUMBERED.has(object.key);
