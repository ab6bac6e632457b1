import type { RecordData } from '@/api';

/** What columns of traits begin with. */
export const TRAIT = 'trait.';

/** What a record holds under a column. */
export function cellValue(record: RecordData, key: string): unknown {
  if (key.startsWith(TRAIT)) return record.traits?.[key.slice(TRAIT.length)];
  switch (key) {
    case 'id':
      return record.id;
    case 'created_at':
      return record.created_at;
    case 'updated_at':
      return record.updated_at;
    case 'created_by':
      return record.created_by;
    default:
      return record.fields[key];
  }
}
