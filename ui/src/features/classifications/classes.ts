import type { ClassRule, Condition, Label } from '@/api';

/** A classification as it is edited. The first class whose condition holds wins; one without takes the rest. */
export interface ClassesDraft {
  classes: readonly ClassRule[];
}
export type ClassesAction =
  | { type: 'load'; classes: readonly ClassRule[] }
  | { type: 'label'; key: string; language: string; text: string }
  | { type: 'color'; key: string; color: string }
  | { type: 'where'; key: string; where: Condition | null }
  | { type: 'move'; key: string; to: number }
  | { type: 'add'; class: ClassRule }
  | { type: 'addRest'; class: ClassRule }
  | { type: 'remove'; key: string };

/** "Everyone else" is the last class without a condition; it stays last. */
export const isRest = (classes: readonly ClassRule[], at: number): boolean =>
  at === classes.length - 1 && classes[at]?.where === null && classes[at]?.rest === true;

const movable = (classes: readonly ClassRule[]): number =>
  isRest(classes, classes.length - 1) ? classes.length - 1 : classes.length;

function edit(draft: ClassesDraft, key: string, part: (old: ClassRule) => Partial<ClassRule>): ClassesDraft {
  return { classes: draft.classes.map((each) => (each.key === key ? { ...each, ...part(each) } : each)) };
}

export function reduceClasses(draft: ClassesDraft, action: ClassesAction): ClassesDraft {
  const { classes } = draft;
  switch (action.type) {
    case 'load':
      return draftOf(action.classes);
    case 'label':
      return edit(draft, action.key, (old) => ({ label: { ...old.label, [action.language]: action.text } as Label }));
    case 'color':
      return edit(draft, action.key, () => ({ color: action.color }));
    case 'where':
      return edit(draft, action.key, () => ({ where: action.where }));
    case 'move': {
      const from = classes.findIndex((each) => each.key === action.key);
      const most = movable(classes);
      const to = Math.max(0, Math.min(most - 1, action.to));
      const moved = classes[from];
      if (moved === undefined || from >= most || from === to) return draft;
      const next = classes.filter((each) => each.key !== action.key);
      next.splice(to, 0, moved);
      return { classes: next };
    }
    case 'add': {
      const next = [...classes];
      next.splice(movable(classes), 0, action.class);
      return { classes: next };
    }
    case 'addRest':
      return isRest(classes, classes.length - 1)
        ? draft
        : { classes: [...classes, { ...action.class, where: null, rest: true }] };
    case 'remove':
      return { classes: classes.filter((each) => each.key !== action.key) };
  }
}

/** As the server sends them; the one without a condition is marked, so that a new class without one yet is not it. */
export const draftOf = (classes: readonly ClassRule[]): ClassesDraft => ({
  classes: classes.map((each, at) => ({ ...each, rest: at === classes.length - 1 && each.where === null })),
});

/** As the server takes them. */
export const sendable = (classes: readonly ClassRule[]): ClassRule[] =>
  classes.map(({ key, label, color, where, rank, phase }) => ({
    key,
    label,
    color,
    where,
    ...(rank !== undefined && rank > 0 && { rank }),
    ...(phase !== undefined && phase !== '' && { phase }),
  }));

export const sameClasses = (left: readonly ClassRule[], right: readonly ClassRule[]): boolean =>
  JSON.stringify(sendable(left)) === JSON.stringify(sendable(right));

/** A key that no class has: class_1, class_2 … */
export function freshKey(classes: readonly ClassRule[]): string {
  const taken = new Set(classes.map((each) => each.key));
  let number = classes.length + 1;
  while (taken.has(`class_${number}`)) number += 1;
  return `class_${number}`;
}

export type ClassFault = 'label' | 'where' | 'none';
/** What keeps the classes from being saved, by key of the class. */
export function faultsOf(classes: readonly ClassRule[]): Map<string, ClassFault> {
  const faults = new Map<string, ClassFault>();
  for (const [at, each] of classes.entries()) {
    if (!Object.values(each.label).some((text) => (text ?? '').trim() !== '')) faults.set(each.key, 'label');
    else if (each.where === null && !isRest(classes, at)) faults.set(each.key, 'where');
  }
  return faults;
}

/** Where a dragged row belongs: past every row whose middle the pointer has passed. */
export function placeFor(y: number, rows: readonly { top: number; height: number }[], from: number): number {
  const passed = rows.filter((row, at) => at !== from && y > row.top + row.height / 2).length;
  return Math.max(0, Math.min(rows.length - 1, passed));
}
