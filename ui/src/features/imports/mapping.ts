import type { ImportFormat, ImportMapping, ImportOptions, ImportRule, ImportRun, ImportSource } from '@/api';

type Targets = ImportRun['targets'];
type Columns = ImportRun['columns'];

/** The mapping as it is edited: what each column becomes. One column may fill several targets, and several one. */
export interface MappingDraft {
  object: string;
  format: ImportFormat;
  /** Columns of each target, in the order in which they are joined. */
  columns: Record<string, string[]>;
  /** What is said of single targets. */
  rules: Record<string, ImportRule>;
  options: ImportOptions;
}

export type MappingAction =
  | { type: 'load'; run: ImportRun; columns?: MappingDraft['columns'] }
  | { type: 'assign'; column: string; from: string | null; to: string | null }
  | { type: 'rule'; target: string; rule: Partial<ImportRule> }
  | { type: 'option'; options: Partial<Record<keyof ImportOptions, unknown>> };

const isPurchase = (object: string): boolean => object === 'order';

/** A column may be named by its number, counted from 1. */
function columnName(source: string, names: readonly string[]): string | null {
  if (names.includes(source)) return source;
  const folded = names.find((name) => name.toLowerCase() === source.trim().toLowerCase());
  if (folded !== undefined) return folded;
  const number = Number(source);
  return Number.isInteger(number) ? (names[number - 1] ?? null) : null;
}

/** Short names that mapping files use beside the keys that are offered. */
const ALIASES: Record<string, string> = {
  'order.placed_at': 'order.at',
  'order.date': 'order.at',
  'order.net_amount': 'order.total',
  'order.discount_amount': 'order.discount',
  'order.gross': 'order.gross_amount',
  'order.store': 'order.store.name',
  'order.channel': 'order.channel.name',
  'order.customer': 'order.customer.external_id',
  'line.price': 'line.unit_price',
  'line.total': 'line.amount',
  'line.product': 'line.product.name',
};

const listOf = (source: ImportSource | undefined): string[] => {
  if (source === undefined) return [];
  return Array.isArray(source) ? source : [source];
};

function columnsOf(
  mapping: ImportMapping,
  object: string,
  columns: Columns,
  targets: Targets,
): Record<string, string[]> {
  const names = columns.map((column) => column.name);
  const known = new Set(targets.map((target) => target.key));
  const found: Record<string, string[]> = {};
  const parts = isPurchase(object)
    ? ([
        ['order.', mapping.order],
        ['line.', mapping.line],
      ] as const)
    : ([['', mapping.fields]] as const);
  for (const [prefix, part] of parts)
    for (const [name, source] of Object.entries(part ?? {})) {
      const key = prefix + name;
      const target = known.has(key) ? key : (ALIASES[key] ?? key);
      const sources = listOf(source)
        .map((one) => columnName(one, names))
        .filter((one) => one !== null);
      if (sources.length > 0 && known.has(target)) found[target] = sources;
    }
  return found;
}

export function draftOf(run: ImportRun): MappingDraft {
  const { object, mapping } = run;
  return {
    object,
    format: { ...run.format, ...mapping.format },
    columns: columnsOf(mapping, object, run.columns, run.targets),
    rules: mapping.rules ?? {},
    options: mapping.options ?? {},
  };
}

/** What the server takes: order and line parts of purchase files, fields of all others. */
export function mappingOf(draft: MappingDraft): ImportMapping {
  const pack = (prefix: string): Record<string, ImportSource> =>
    Object.fromEntries(
      Object.entries(draft.columns)
        .filter(([key, columns]) => key.startsWith(prefix) && columns.length > 0)
        .map(([key, columns]) => [key.slice(prefix.length), columns.length === 1 ? (columns[0] as string) : columns]),
    );
  const options = compact(draft.options) as ImportOptions;
  const match = matchOf(draft);
  if (match.length > 0) options.match = match;
  else {
    delete options.match;
    delete options.mode;
  }
  const rules = Object.fromEntries(
    Object.entries(draft.rules)
      .filter(([key]) => (draft.columns[key] ?? []).length > 0)
      .map(([key, rule]) => [key, compact(rule) as ImportRule] as const)
      .filter(([, rule]) => Object.keys(rule).length > 0),
  );
  const rest = { ...(Object.keys(rules).length > 0 && { rules }), options };
  return isPurchase(draft.object)
    ? { format: draft.format, order: pack('order.'), line: pack('line.'), ...rest }
    : { format: draft.format, fields: pack(''), ...rest };
}

/** Without what is not set. */
const compact = (given: object): object =>
  Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined && value !== '' && value !== false),
  );

/** The fields by which existing records are found, as far as they are mapped. */
export const matchOf = (draft: MappingDraft): string[] =>
  listOf(draft.options.match).filter((key) => (draft.columns[key] ?? []).length > 0);

/**
 * What asks the server to read the file anew: the change of format alone, without columns, which the server suggests again.
 * Options stay, except those that it finds out from the values.
 */
export function rereadOf(
  draft: MappingDraft,
  change: Partial<ImportFormat>,
  chosen: ReadonlySet<string>,
): ImportMapping {
  const { options } = mappingOf(draft);
  const { decimal_comma, match: _match, mode: _mode, order_key: _key, ...rest } = options ?? {};
  const decimals = decimal_comma !== undefined && chosen.has('decimal_comma') ? { decimal_comma } : {};
  return { format: change, options: { ...rest, ...decimals } };
}

/** What a column becomes, in the order of the targets. */
export const targetsOf = (draft: MappingDraft, column: string): string[] =>
  Object.entries(draft.columns)
    .filter(([, columns]) => columns.includes(column))
    .map(([key]) => key);

export function reduceMapping(draft: MappingDraft, action: MappingAction): MappingDraft {
  switch (action.type) {
    case 'load': {
      const read = draftOf(action.run);
      return action.columns === undefined ? read : { ...read, columns: action.columns };
    }
    case 'assign': {
      const columns = { ...draft.columns };
      if (action.from !== null) {
        const rest = (columns[action.from] ?? []).filter((name) => name !== action.column);
        if (rest.length === 0) delete columns[action.from];
        else columns[action.from] = rest;
      }
      if (action.to !== null && !(columns[action.to] ?? []).includes(action.column))
        columns[action.to] = [...(columns[action.to] ?? []), action.column];
      return { ...draft, columns };
    }
    case 'rule': {
      const rule = { ...draft.rules[action.target], ...action.rule };
      return { ...draft, rules: { ...draft.rules, [action.target]: rule } };
    }
    case 'option':
      return { ...draft, options: { ...draft.options, ...action.options } as ImportOptions };
  }
}

/** Required targets that no column fills. A relation is filled by any column that names its record. */
export const missingTargets = (draft: MappingDraft, targets: Targets): Targets => {
  const filled = (key: string): boolean => (draft.columns[key] ?? []).length > 0;
  return targets.filter(
    (target) =>
      target.required && !filled(target.key) && !targets.some((other) => other.via === target.key && filled(other.key)),
  );
};

/** The refund rule as one of the offered forms. */
export type RefundChoice = 'none' | 'quantity' | 'amount' | 'prefix' | 'custom';
export function refundChoice(rule: string | undefined): { choice: RefundChoice; text: string } {
  const given = (rule ?? '').trim();
  if (given === '') return { choice: 'none', text: '' };
  if (/^quantity\s*<\s*0$/.test(given)) return { choice: 'quantity', text: '' };
  if (/^amount\s*<\s*0$/.test(given)) return { choice: 'amount', text: '' };
  const prefix = /^number starts_with (\S+)$/.exec(given);
  if (prefix !== null) return { choice: 'prefix', text: prefix[1] ?? '' };
  return { choice: 'custom', text: given };
}
export function refundRule(choice: RefundChoice, text: string): string | undefined {
  switch (choice) {
    case 'none':
      return undefined;
    case 'quantity':
      return 'quantity<0';
    case 'amount':
      return 'amount<0';
    case 'prefix':
      return text.trim() === '' ? undefined : `number starts_with ${text.trim()}`;
    case 'custom':
      return text.trim() === '' ? undefined : text.trim();
  }
}
