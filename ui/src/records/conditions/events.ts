import type {
  DeedFilter,
  DeedStep,
  EventCondition,
  Field,
  LifecycleCondition,
  LifecycleRows,
  Operator,
  PropertyCondition,
  Window,
} from '@/api';

/** The name that stands for every event. */
export const ANY_EVENT = '*';

export type PropertyType = 'text' | 'number' | 'bool' | 'money' | 'region';

const OPERATORS: Record<PropertyType, Operator[]> = {
  text: ['=', '!=', 'in', 'not_in', 'contains', 'not_contains', 'starts_with', 'ends_with', 'is_set', 'is_not_set'],
  number: ['>=', '<=', '=', '!=', '>', '<', 'between', 'is_set', 'is_not_set'],
  money: ['>=', '<=', '=', '!=', '>', '<', 'between', 'is_set', 'is_not_set'],
  bool: ['=', 'is_set', 'is_not_set'],
  region: ['=', '!=', 'in', 'not_in', 'is_set', 'is_not_set'],
};

/** A value of an event in the shape of a field, so that the one registry compares it. */
export const propertyField = (key: string, type: PropertyType, operators = OPERATORS[type]): Field => ({
  key,
  type,
  label: {},
  section: '',
  required: false,
  unique: false,
  personal: false,
  read_only: true,
  operation_only: false,
  filterable: true,
  sortable: false,
  searchable: false,
  operators,
  ...(type === 'number' && { scale: 4 }),
  ...(type === 'money' && { scale: 2 }),
  access: 'read',
});

const COLUMNS: Record<string, PropertyType> = { $amount: 'money', $dwell_ms: 'number', $region: 'region' };
export const isColumn = (key: string): boolean => key.startsWith('$');
export const columnType = (key: string): PropertyType => COLUMNS[key] ?? 'text';

/** How a condition reads a property: a column has its type, a property that of the value it is compared with. */
export function propertyType({ property, value }: PropertyCondition): PropertyType {
  if (isColumn(property)) return columnType(property);
  const one = Array.isArray(value) ? value[0] : value;
  if (typeof one === 'boolean') return 'bool';
  // A number that is still to be written is null, a text is empty.
  return typeof one === 'number' || one === null ? 'number' : 'text';
}

export const isProperty = (filter: DeedFilter): filter is PropertyCondition =>
  'property' in filter && typeof filter.property === 'string';

/** The rows of a filter that is one group of properties; null for one that this editor does not take apart. */
export function flatFilter(filter: DeedFilter | undefined): { mode: 'all' | 'any'; items: PropertyCondition[] } | null {
  if (filter === undefined) return { mode: 'all', items: [] };
  if (isProperty(filter)) return { mode: 'all', items: [filter] };
  for (const mode of ['all', 'any'] as const) {
    const items = (filter as Record<string, DeedFilter[] | undefined>)[mode];
    if (items?.every(isProperty) === true) return { mode, items: items as PropertyCondition[] };
  }
  return null;
}

/** The number or amount that an event condition compares; null where it asks only whether. */
export function eventField(condition: EventCondition): Field | null {
  const { aggregate = 'count', op } = condition;
  if (op === undefined || op === 'none') return null;
  const operators = OPERATORS.number.slice(0, 7).filter((name) => name !== '!=');
  const key = typeof aggregate === 'string' || 'distinct' in aggregate ? '' : String(Object.values(aggregate)[0]);
  return propertyField(key, key === '$amount' ? 'money' : 'number', operators);
}

export type LifecycleKind = 'first' | 'stopped' | 'resumed';
export const WINDOW_OF = { first: 'within', stopped: 'for', resumed: 'after' } as const;

export const lifecycleKind = (condition: LifecycleCondition): LifecycleKind =>
  (['first', 'stopped', 'resumed'] as const).find((kind) => kind in condition) ?? 'first';
export const lifecycleRows = (condition: LifecycleCondition): LifecycleRows =>
  (condition as unknown as Record<string, LifecycleRows>)[lifecycleKind(condition)] as LifecycleRows;
export const lifecycleWindow = (condition: LifecycleCondition): Window | undefined =>
  (condition as unknown as Record<string, Window>)[WINDOW_OF[lifecycleKind(condition)]];
export const lifecycle = (kind: LifecycleKind, rows: LifecycleRows, window: Window): LifecycleCondition =>
  ({ [kind]: rows, [WINDOW_OF[kind]]: window }) as unknown as LifecycleCondition;
export const isStep = (rows: LifecycleRows): rows is DeedStep => 'event' in rows;
