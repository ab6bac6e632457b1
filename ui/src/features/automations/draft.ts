import type { Definition, Setting, Step, StepKind, Trigger, TriggerKind } from '@/api';

/** An id that stays with a step when it is moved. */
export const stepId = (): string => `s${crypto.getRandomValues(new Uint32Array(2)).join('').slice(0, 10)}`;

const EMPTY: { [K in StepKind]: Omit<Step, 'id'> } = {
  update: { kind: 'update', values: [] },
  create: { kind: 'create', object: 'task', values: [] },
  assign: { kind: 'assign', how: 'person', people: [] },
  tag: { kind: 'tag', field: '', add: [], remove: [] },
  notify: { kind: 'notify', to: ['owner'], people: [], text: '' },
  email: { kind: 'email', mail: { to: 'field', subject: '', text: '' } },
  webhook: { kind: 'webhook', url: '', fields: [] },
  wait: { kind: 'wait', wait: { kind: 'time', amount: 1, unit: 'day' } },
  // biome-ignore lint/suspicious/noThenProperty: the word of the rule's form; a step is never awaited
  branch: { kind: 'branch', then: [], else: [] },
  stop: { kind: 'stop' },
};
export const newStep = (kind: StepKind): Step => ({ ...structuredClone(EMPTY[kind]), id: stepId() });

const FIRST: { [K in TriggerKind]: Trigger } = {
  created: { kind: 'created' },
  changed: { kind: 'changed', changes: [] },
  deleted: { kind: 'deleted' },
  restored: { kind: 'restored' },
  file_added: { kind: 'file_added' },
  file_removed: { kind: 'file_removed' },
  date: { kind: 'date', field: '', days: 0, at: '09:00' },
  schedule: { kind: 'schedule', every: 'day', at: '09:00' },
  manual: { kind: 'manual' },
  enters: { kind: 'enters', segment: '' },
  leaves: { kind: 'leaves', segment: '' },
  hook: { kind: 'hook', match: 'id', path: 'id' },
};
export const newTrigger = (kind: TriggerKind): Trigger => structuredClone(FIRST[kind]);

export const emptyDefinition = (): Definition => ({ object: 'customer', trigger: newTrigger('created'), steps: [] });

/** A copy with ids of its own, also inside of branches. */
export function copyStep(step: Step): Step {
  const copy: Step = { ...structuredClone(step), id: stepId() };
  // biome-ignore lint/suspicious/noThenProperty: the word of the rule's form; a step is never awaited
  if (copy.then !== undefined) copy.then = copy.then.map(copyStep);
  if (copy.else !== undefined) copy.else = copy.else.map(copyStep);
  return copy;
}

export type ValueMode = 'value' | 'text' | 'from' | 'formula' | 'after' | 'clear';
export function modeOf(setting: Setting): ValueMode {
  if (setting.text !== undefined) return 'text';
  if (setting.from !== undefined) return 'from';
  if (setting.formula !== undefined) return 'formula';
  if (setting.after !== undefined) return 'after';
  return setting.value === null ? 'clear' : 'value';
}
export function withMode(field: string, mode: ValueMode): Setting {
  switch (mode) {
    case 'text':
      return { field, text: '' };
    case 'from':
      return { field, from: '' };
    case 'formula':
      return { field, formula: '' };
    case 'after':
      return { field, after: { days: 0, at: '18:00' } };
    case 'clear':
      return { field, value: null };
    case 'value':
      return { field, value: '' };
  }
}

/** Every step with its number as people count: 1, 2, 2.1 … */
export function numbered(steps: readonly Step[], prefix = ''): Map<string, string> {
  const out = new Map<string, string>();
  for (const [at, step] of steps.entries()) {
    const number = `${prefix}${at + 1}`;
    out.set(step.id, number);
    for (const [key, value] of numbered(step.then ?? [], `${number}.a`)) out.set(key, value);
    for (const [key, value] of numbered(step.else ?? [], `${number}.b`)) out.set(key, value);
  }
  return out;
}

export interface Fault {
  location: string;
  message: string;
}
/** The faults at a place and below it, without its name. */
export const faultsAt = (faults: readonly Fault[], at: string): Fault[] =>
  faults
    .filter(({ location }) => location === at || location.startsWith(`${at}.`) || location.startsWith(`${at}/`))
    .map(({ location, message }) => ({ location: location.slice(at.length).replace(/^\./, ''), message }));
/** The message at exactly one place. */
export const faultAt = (faults: readonly Fault[], at: string): string | undefined =>
  faults.find(({ location }) => location === at)?.message;
