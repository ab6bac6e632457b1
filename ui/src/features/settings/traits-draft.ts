import { type ComputedInput, type ComputedTrait, FIGURE_KINDS, type FigureKind, type TraitFigure } from '@/api';
import { type ConditionScope, validateCondition } from '@/records/conditions';

export interface Draft {
  key: string;
  zh: string;
  en: string;
  about: string;
  figure: TraitFigure;
}

export const emptyDraft: Draft = { key: '', zh: '', en: '', about: '', figure: { of: { event: '' }, kind: 'counter' } };

export const draftOf = (trait: ComputedTrait): Draft => ({
  key: trait.key,
  zh: trait.label['zh-CN'] ?? '',
  en: trait.label.en ?? '',
  about: trait.description['zh-CN'] ?? trait.description.en ?? '',
  figure: trait.figure,
});

export const inputOf = ({ key, zh, en, about, figure }: Draft): ComputedInput => ({
  key,
  label: { 'zh-CN': zh.trim(), en: en.trim() },
  description: about.trim() === '' ? {} : { 'zh-CN': about.trim(), en: about.trim() },
  figure,
});

const WITHOUT_FIELD = new Set<FigureKind>(['counter', 'days', 'time_since']);
export const needsField = (kind: FigureKind): boolean => !WITHOUT_FIELD.has(kind);
const OF_NUMBERS = new Set<FigureKind>(['sum', 'average', 'min', 'max']);
export const ofNumbers = (kind: FigureKind): boolean => OF_NUMBERS.has(kind);
/** Kinds that take texts and numbers of a property alike. */
export const takesBoth = (kind: FigureKind): boolean => kind === 'first' || kind === 'last' || kind === 'most_frequent';
export const KINDS: readonly FigureKind[] = FIGURE_KINDS;

/** A figure of another kind keeps what still fits. */
export function withKind({ field, number, ...figure }: TraitFigure, kind: FigureKind): TraitFigure {
  return {
    ...figure,
    kind,
    ...(field !== undefined && needsField(kind) && { field }),
    ...(number === true && takesBoth(kind) && { number }),
  };
}

/** Whether a figure can be asked about. */
export function complete({ of, kind, field }: TraitFigure, scope: ConditionScope): boolean {
  if (needsField(kind) && (field === undefined || field === '')) return false;
  return validateCondition({ first: of, within: { days: 1 } } as never, 'customer', scope).length === 0;
}

/** A key made of an English name. */
export const keyOf = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^[^a-z]+|_+$/g, '')
    .slice(0, 48);
