import type { ReactNode } from 'react';
import type { Field, FieldType, Operator } from '@/api';
import type { Language } from '@/i18n';
import type { Formatter } from '@/lib/format';

/** What display needs beside the value. Made once per list, not per cell: useFieldContext(). */
export interface FieldContext {
  fmt: Formatter;
  language: Language;
  t: (key: string, values?: Record<string, unknown>) => string;
}

export type Parsed = { ok: true; value: unknown } | { ok: false };
export const parsed = (value: unknown): Parsed => ({ ok: true, value });
export const refused: Parsed = { ok: false };

export interface EditorProps {
  field: Field;
  /** The value as records hold it (a relation is a Ref, a region an object). */
  value: unknown;
  onChange: (value: unknown) => void;
  /** Enter, or a choice that is final: a cell saves and closes. */
  onCommit?: (() => void) | undefined;
  onCancel?: (() => void) | undefined;
  /** In a cell: opens at once, no label. */
  inCell?: boolean;
  label?: ReactNode;
  description?: ReactNode;
  error?: ReactNode;
  required?: boolean;
  disabled?: boolean;
  autoFocus?: boolean;
  size?: 'sm' | 'lg';
  /** Something is on its way that belongs to the value: what saves waits for it. */
  onBusy?: ((busy: boolean) => void) | undefined;
  'aria-label'?: string;
}

export type Aggregation = 'sum' | 'avg' | 'min' | 'max' | 'distinct';

/** Everything the interface knows about one type of field. */
export interface FieldKind {
  type: FieldType;
  align: 'left' | 'right';
  width: number;
  sortable: boolean;
  aggregate: readonly Aggregation[];
  /** Used where the metadata does not say which operators a field has. */
  operators: readonly Operator[];
  /** Pure and hook-free: lists call it for every cell. */
  display: (value: unknown, field: Field, context: FieldContext) => ReactNode;
  /** The same as plain text: clipboard, tooltips, sentences. Empty when there is no value. */
  text: (value: unknown, field: Field, context: FieldContext) => string;
  /** The inverse of text, for paste and import. */
  parse: (text: string, field: Field, context: FieldContext) => Parsed;
  /** From the value that records hold to the value that the server takes. */
  toWrite: (value: unknown) => unknown;
}

export const isEmptyValue = (value: unknown): boolean =>
  value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0);

const COMPARE = ['=', '!=', '>', '>=', '<', '<=', 'between'] as const;
const SET = ['is_set', 'is_not_set'] as const;
export const OPS = {
  text: ['=', '!=', 'contains', 'not_contains', 'starts_with', 'ends_with', 'in', 'not_in', ...SET],
  identity: ['=', 'starts_with', 'ends_with', ...SET],
  number: [...COMPARE, ...SET],
  date: ['within_last', 'within_next', 'before', 'after', 'between', '=', ...SET],
  choice: ['in', 'not_in', '=', '!=', ...SET],
  many: ['in', 'not_in', 'contains', 'not_contains', ...SET],
  bool: ['=', ...SET],
  birthday: ['anniversary_within', ...SET],
  files: ['contains', 'not_contains', ...SET],
  presence: [...SET],
} as const satisfies Record<string, readonly Operator[]>;

/** A kind, with the usual answers filled in. */
export function defineKind(kind: Pick<FieldKind, 'type' | 'text'> & Partial<FieldKind>): FieldKind {
  return {
    align: 'left',
    width: 160,
    sortable: true,
    aggregate: ['distinct'],
    operators: OPS.text,
    display: (value, field, context) => kind.text(value, field, context),
    parse: (text) => parsed(text.trim() === '' ? null : text.trim()),
    toWrite: (value) => (value === '' || value === undefined ? null : value),
    ...kind,
  };
}
