import {
  type Condition,
  type Field,
  type FieldChange,
  type FieldInput,
  type FieldType,
  isApiError,
  type Option,
  type OptionInput,
  type Rollup,
} from '@/api';
import type { Label } from '@/i18n';
import { HUES } from '@/lib/hue';

/** Field types by what one thinks of first, in the order in which they are offered. */
export const TYPE_GROUPS = [
  { key: 'words', types: ['text', 'long_text', 'phone', 'email', 'url'] },
  { key: 'numbers', types: ['number', 'money', 'percent', 'rating', 'auto_number'] },
  { key: 'choices', types: ['choice', 'multi_choice', 'tags', 'bool'] },
  { key: 'time', types: ['date', 'datetime', 'duration', 'birthday'] },
  { key: 'links', types: ['relation', 'relation_many', 'user'] },
  { key: 'more', types: ['image', 'file', 'region', 'address', 'json'] },
] as const satisfies readonly { key: string; types: readonly FieldType[] }[];

const set = (...types: FieldType[]): ReadonlySet<FieldType> => new Set(types);
const CHOICES = set('choice', 'multi_choice');
const MEMBERS = {
  options: CHOICES,
  target: set('relation', 'relation_many'),
  via: set('relation_many'),
  scale: set('number', 'percent'),
  max: set('rating', 'file', 'image'),
  max_mb: set('file', 'image'),
  kinds: set('file'),
  pattern: set('auto_number'),
  max_length: set('text', 'long_text'),
  default: set(
    'text',
    'long_text',
    'number',
    'money',
    'bool',
    'date',
    'datetime',
    'choice',
    'multi_choice',
    'tags',
    'percent',
    'duration',
    'rating',
  ),
  unique: set('text', 'url', 'phone', 'email', 'auto_number'),
  personal: set('text', 'long_text', 'url', 'phone', 'email'),
  searchable: set('text', 'long_text', 'url', 'phone', 'email', 'auto_number'),
} as const satisfies Partial<Record<keyof FieldInput, ReadonlySet<FieldType>>>;
const NOT_REQUIRED = set('auto_number', 'relation_many');
const NOT_INDEXED = set('relation_many', 'json', 'long_text', 'address', 'file', 'image');
const FILES = set('file', 'image');

export type Member = keyof typeof MEMBERS | 'required' | 'indexed';

/** Whether fields of a type have a member that can be chosen. */
export function hasMember(type: FieldType, member: Member): boolean {
  if (member === 'required') return !NOT_REQUIRED.has(type);
  if (member === 'indexed') return !NOT_INDEXED.has(type);
  return MEMBERS[member].has(type);
}

export interface DraftOption {
  /** Stays the same while rows move; not sent. */
  id: string;
  /** Empty for one that gets its key of its label. */
  key: string;
  label: Label;
  color: string;
  archived: boolean;
  /** In records perhaps: it can be archived, not deleted. */
  kept: boolean;
}

export interface FieldDraft {
  type: FieldType;
  key: string;
  label: Label;
  help: Label;
  section: string;
  required: boolean;
  unique: boolean;
  indexed: boolean;
  personal: boolean;
  searchable: boolean;
  hidden: boolean;
  options: DraftOption[];
  target: string;
  via: string;
  scale: number;
  pattern: string;
  default: unknown;
  max_length: number | null;
  /** The most stars, or files. */
  max: number;
  /** The largest file; null for what the program takes. */
  max_mb: number | null;
  /** Of files; none means any. */
  kinds: string[];
  /** Of a computed field; null for one that is filled in. */
  formula: string | null;
  /** A formula that is a path over a relation, chosen from lists. */
  lookup: boolean;
  rollup: Rollup | null;
  shown_when: Condition | null;
  required_when: Condition | null;
}

/** Whether nobody fills the field in. */
export const isComputed = (draft: FieldDraft): boolean => draft.formula !== null || draft.rollup !== null;

let made = 0;
export function newOption(label: Label = {}, at = 0): DraftOption {
  made += 1;
  const color = HUES[1 + (at % (HUES.length - 1))] ?? 'blue';
  return { id: `new${made}`, key: '', label, color, archived: false, kept: false };
}

export const emptyDraft = (type: FieldType): FieldDraft => ({
  type,
  key: '',
  label: {},
  help: {},
  section: 'basic',
  required: false,
  unique: false,
  indexed: false,
  personal: false,
  searchable: false,
  hidden: false,
  options: CHOICES.has(type) ? [newOption({}, 0), newOption({}, 1)] : [],
  target: '',
  via: '',
  scale: 0,
  pattern: '{yyyymmdd}-{0000}',
  default: null,
  max_length: null,
  max: FILES.has(type) ? 1 : 5,
  max_mb: null,
  kinds: [],
  formula: null,
  lookup: false,
  rollup: null,
  shown_when: null,
  required_when: null,
});

/** A computed field; its type follows from its formula. */
export const formulaDraft = (): FieldDraft => ({ ...emptyDraft('number'), formula: '' });
export const lookupDraft = (): FieldDraft => ({ ...formulaDraft(), lookup: true });
export const rollupDraft = (): FieldDraft => ({
  ...emptyDraft('number'),
  rollup: { object: '', via: '', func: 'count' },
});

/** Whether what computes the field is chosen. */
export const isComplete = (draft: FieldDraft): boolean =>
  draft.formula !== '' &&
  !(draft.lookup && !/^[^.]+\.[^.]+$/.test(draft.formula ?? '')) &&
  (draft.rollup === null || (draft.rollup.object !== '' && (draft.rollup.func === 'count' || !!draft.rollup.field)));

const draftOption = (option: Option): DraftOption => ({
  id: option.key,
  key: option.key,
  label: option.label,
  color: option.color ?? 'gray',
  archived: option.archived === true,
  kept: true,
});

export const draftOf = (field: Field): FieldDraft => ({
  ...emptyDraft(field.type),
  key: field.key,
  label: field.label,
  help: field.help ?? {},
  section: field.section ?? '',
  required: field.required,
  unique: field.unique,
  indexed: field.indexed === true,
  personal: field.personal,
  searchable: field.searchable,
  hidden: field.access === 'hidden',
  options: (field.options ?? []).map(draftOption),
  target: field.target ?? '',
  via: field.via ?? '',
  scale: field.scale ?? 0,
  pattern: field.pattern ?? '',
  default: field.default ?? null,
  max_length: field.max_length === undefined || field.max_length === 0 ? null : field.max_length,
  max: field.max ?? (FILES.has(field.type) ? 1 : 5),
  max_mb: field.max_mb ?? null,
  kinds: field.kinds ?? [],
  formula: field.formula ?? null,
  lookup: false,
  rollup: field.rollup ?? null,
  shown_when: field.shown_when ?? null,
  required_when: field.required_when ?? null,
});

/** A label without the languages that were left empty. */
export const cleanLabel = (label: Label): Label =>
  Object.fromEntries(
    Object.entries(label)
      .map(([language, text]) => [language, text?.trim()])
      .filter(([, text]) => text !== undefined && text !== ''),
  );
export const isBlank = (label: Label): boolean => Object.keys(cleanLabel(label)).length === 0;

/** Latin letters of a label as a key, empty for a Chinese one: its pinyin is the server's. */
export const latinKey = (label: Label): string =>
  (cleanLabel(label).en ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[_0-9]+|_+$/g, '')
    .slice(0, 40);

/** The draft without rows that were never filled in: what the server says of a row is then said of the same one here. */
export const tidy = (draft: FieldDraft): FieldDraft => ({
  ...draft,
  options: draft.options.filter((option) => option.kept || !isBlank(option.label) || option.key !== ''),
});

/** What the default names needs a key already here; any other option gets one from the server. */
function optionsOf(draft: FieldDraft): { options: OptionInput[]; value: unknown } {
  const named = tidy(draft).options;
  const wanted = new Set([draft.default].flat().map(String));
  const keys = new Map<string, string>();
  const options = named.map((option, at) => {
    let { key } = option;
    if (key === '' && wanted.has(option.id)) key = latinKey(option.label) || `option_${at + 1}`;
    keys.set(option.id, key);
    return {
      ...(key !== '' && { key }),
      label: cleanLabel(option.label),
      color: option.color,
      ...(option.archived && { archived: true }),
    };
  });
  const keyOf = (id: unknown) => keys.get(String(id)) ?? String(id);
  const value = Array.isArray(draft.default) ? draft.default.map(keyOf) : draft.default;
  return {
    options,
    value: typeof value === 'string' && draft.type === 'choice' ? keyOf(value) : value,
  };
}

const isSet = (value: unknown): boolean =>
  value !== null && value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0);

/** What is sent for a new field: only the members that its type has. */
export function toInput(draft: FieldDraft): FieldInput {
  return {
    ...inputOf(draft),
    ...(draft.shown_when !== null && { shown_when: draft.shown_when }),
    ...(draft.required_when !== null && !isComputed(draft) && { required_when: draft.required_when }),
  };
}

function inputOf(draft: FieldDraft): FieldInput {
  if (draft.formula !== null)
    return {
      ...(draft.key.trim() !== '' && { key: draft.key.trim() }),
      label: cleanLabel(draft.label),
      ...(!isBlank(draft.help) && { help: cleanLabel(draft.help) }),
      ...(draft.section !== '' && { section: draft.section }),
      ...(!draft.lookup && { type: draft.type, scale: draft.scale }),
      formula: draft.formula,
    };
  if (draft.rollup !== null)
    return {
      ...(draft.key.trim() !== '' && { key: draft.key.trim() }),
      label: cleanLabel(draft.label),
      ...(!isBlank(draft.help) && { help: cleanLabel(draft.help) }),
      ...(draft.section !== '' && { section: draft.section }),
      indexed: draft.indexed,
      rollup: draft.rollup,
    };
  const has = (member: Member) => hasMember(draft.type, member);
  const { options, value } = optionsOf(draft);
  const start = CHOICES.has(draft.type) ? value : draft.default;
  return {
    ...(draft.key.trim() !== '' && { key: draft.key.trim() }),
    type: draft.type,
    label: cleanLabel(draft.label),
    ...(!isBlank(draft.help) && { help: cleanLabel(draft.help) }),
    ...(draft.section !== '' && { section: draft.section }),
    ...(has('required') && { required: draft.required }),
    ...(has('unique') && { unique: draft.unique }),
    ...(has('indexed') && { indexed: draft.indexed }),
    ...(has('personal') && { personal: draft.personal }),
    ...(has('searchable') && { searchable: draft.searchable }),
    ...(has('options') && { options }),
    ...(has('target') && { target: draft.target }),
    ...(has('via') && { via: draft.via }),
    ...(has('scale') && { scale: draft.scale }),
    ...(has('max') && { max: draft.max }),
    ...(has('max_mb') && { max_mb: draft.max_mb ?? 0 }),
    ...(has('kinds') && { kinds: draft.kinds }),
    ...(has('pattern') && { pattern: draft.pattern }),
    ...(has('max_length') && draft.max_length !== null && { max_length: draft.max_length }),
    ...(has('default') && isSet(start) && { default: start }),
  };
}

const same = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right);

/** What is sent for a changed field: only what is another than it was. */
export function toChange(field: Field, draft: FieldDraft): FieldChange {
  const before = toInput(draftOf(field));
  const after = toInput(draft);
  const change: Record<string, unknown> = {};
  for (const member of ['label', 'required', 'indexed', 'searchable', 'options', 'pattern'] as const)
    if (!same(before[member], after[member])) change[member] = after[member];
  if (!same(before.help, after.help)) change.help = after.help ?? {};
  if (!same(before.section, after.section)) change.section = after.section ?? '';
  if (FILES.has(field.type) && field.custom === true)
    for (const member of ['max', 'max_mb', 'kinds'] as const)
      if (!same(before[member], after[member])) change[member] = after[member];
  if (!same(before.max_length, after.max_length)) change.max_length = after.max_length ?? 0;
  if (!same(before.default, after.default))
    Object.assign(change, after.default === undefined ? { no_default: true } : { default: after.default });
  if (
    before.formula !== after.formula ||
    (draft.formula !== null && (before.type !== after.type || before.scale !== after.scale))
  )
    Object.assign(change, { formula: after.formula, type: after.type, scale: after.scale });
  if (!same(before.rollup, after.rollup)) change.rollup = after.rollup;
  for (const member of ['shown_when', 'required_when'] as const)
    if (!same(before[member] ?? null, after[member] ?? null)) change[member] = after[member] ?? null;
  if ((field.access === 'hidden') !== draft.hidden) change.hidden = draft.hidden;
  return change;
}

/** The lines of a pasted list as options: "到店 / Visited", a tab or a comma parts the two languages. */
export function pastedOptions(text: string, first: string, second: string, from = 0): DraftOption[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line, at) => {
      const [left = '', right = ''] = line.split(/\t|\s\/\s|[,\uff0c]/).map((part) => part.trim());
      return newOption({ [first]: left, ...(right !== '' && { [second]: right }) }, from + at);
    });
}

export interface Objections {
  /** What is wrong with one member: "label", "options.2.key". */
  at: (location: string) => string | undefined;
  /** What is wrong with a member or anywhere inside it: "shown_when" finds "shown_when/all/0/value". */
  within: (member: string) => string | undefined;
  /** What stands at no control, in one line; null when everything has its place. */
  rest: (placed: (location: string) => boolean) => string | null;
}

export function objectionsOf(error: unknown): Objections {
  const fields = isApiError(error) ? error.fields : [];
  return {
    at: (location) => fields.find((each) => each.location === location)?.message,
    within: (member) =>
      fields.find(
        ({ location }) => location === member || location.startsWith(`${member}.`) || location.startsWith(`${member}/`),
      )?.message,
    rest: (placed) => {
      if (error === null || error === undefined) return null;
      const left = fields.filter((each) => !placed(each.location)).map((each) => each.message);
      if (left.length > 0) return left.join(' ');
      return fields.length > 0 ? null : String(error instanceof Error ? error.message : error);
    },
  };
}

/** A plain English plural, for the placeholder of the input that takes the real one. */
export function plural(word: string): string {
  const text = word.trim();
  if (text === '') return '';
  if (/[^aeiou]y$/i.test(text)) return `${text.slice(0, -1)}ies`;
  return /(s|x|z|ch|sh)$/i.test(text) ? `${text}es` : `${text}s`;
}
