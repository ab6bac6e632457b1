import type { Field, FormulaFunction, ObjectType } from '@/api';
import { matchScore } from '@/lib/match';

export interface Suggestion {
  /** What is put in place of the word. */
  insert: string;
  title: string;
  note: string;
  /** Whether the caret goes between the brackets. */
  call: boolean;
}

const WORD = /[\p{L}\p{N}_.]*$/u;

/** The word that ends at the caret, with its place; null inside a text. */
export function wordAt(text: string, caret: number): { word: string; from: number } | null {
  const before = text.slice(0, caret);
  if ((before.match(/"/g) ?? []).length % 2 === 1) return null;
  const word = WORD.exec(before)?.[0] ?? '';
  return { word, from: caret - word.length };
}

const UNREADABLE = new Set(['address', 'birthday', 'json', 'relation_many']);
const readable = (field: Field) =>
  !field.personal && !UNREADABLE.has(field.type) && field.access !== 'hidden' && field.key !== 'id';

interface Shape {
  object: ObjectType;
  objects: readonly ObjectType[];
  functions: readonly FormulaFunction[];
  label: (field: Field) => string;
}

/** The object at the end of "customer.store." and the fields before it; null when the path leads nowhere. */
function reached(path: readonly string[], { object, objects }: Shape): ObjectType | null {
  let at: ObjectType | undefined = object;
  for (const step of path) {
    const field: Field | undefined = at?.fields.find((each) => each.key === step && each.type === 'relation');
    at = field && objects.find((each) => each.key === field.target);
  }
  return at ?? null;
}

const MOST = 8;

/** Fields and functions that fit a word, the best first. */
export function suggest(word: string, shape: Shape): Suggestion[] {
  const path = word.split('.');
  const last = path.pop() ?? '';
  const object = reached(path, shape);
  if (object === null || word === '') return [];
  const prefix = path.map((step) => `${step}.`).join('');
  const fields = object.fields.filter(readable).map((field) => ({
    score:
      last === ''
        ? 1
        : Math.max(matchScore(last, { label: shape.label(field) }), matchScore(last, { label: field.key })),
    insert: prefix + field.key,
    title: shape.label(field),
    note: prefix + field.key,
    call: false,
  }));
  const functions =
    path.length > 0
      ? []
      : shape.functions
          .filter((each) => each.name.startsWith(last.toUpperCase()))
          .map((each) => ({
            score: 55,
            insert: `${each.name}()`,
            title: each.name,
            note: `(${each.args})`,
            call: each.args !== '',
          }));
  return [...fields, ...functions]
    .filter((each) => each.score > 0)
    .sort((left, right) => right.score - left.score)
    .slice(0, MOST)
    .map(({ score: _, ...rest }) => rest);
}
