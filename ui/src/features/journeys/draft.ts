import type { JourneyDefinition, JourneyStep, JourneyStepKind } from '@/api';

/** Where a step can be put: at the beginning, behind a step, or at the beginning of one of its ways. */
export interface Place {
  from: string;
  way?: number;
}
export const START: Place = { from: '' };

/** What is drawn: a step with its ways and what comes behind them, or a jump to a step that is drawn elsewhere. */
export interface Drawn {
  place: Place;
  step?: JourneyStep;
  jump?: string;
  arms?: { place: Place; way?: number; list: Drawn[] }[];
  /** A way of a wait that leads straight to where the others come together: it is named beside the step. */
  side?: { place: Place; way?: number; to: string };
  /** Which way of the step goes on below. */
  main?: { way?: number };
}

export const stepsOf = (d: JourneyDefinition): JourneyStep[] => d.steps ?? [];
export const stepIn = (d: JourneyDefinition, key: string) => stepsOf(d).find((step) => step.key === key);

/** Where a step leads: its ways, then the way of everyone else. */
export function exitsOf(step: JourneyStep): { to: string; way?: number }[] {
  const ways = (step.ways ?? []).map((way, index) => ({ to: way.next, way: index }));
  return step.kind === 'exit' || step.kind === 'split' ? ways : [...ways, { to: step.next ?? '' }];
}

const forked = (step: JourneyStep) => (step.ways?.length ?? 0) > 0;

function reachedFrom(d: JourneyDefinition, from: string): string[] {
  const out: string[] = [];
  const visit = (key: string) => {
    const step = stepIn(d, key);
    if (step === undefined || out.includes(key)) return;
    out.push(key);
    for (const exit of exitsOf(step)) visit(exit.to);
  };
  visit(from);
  return out;
}

/** Where the ways of a step come together again; '' where they do not. */
function meeting(d: JourneyDefinition, step: JourneyStep): string {
  const [first, ...rest] = exitsOf(step).map((exit) => reachedFrom(d, exit.to));
  return first?.find((key) => rest.every((list) => list.includes(key))) ?? '';
}

const placeOf = (from: string, way?: number): Place => (way === undefined ? { from } : { from, way });

/** The journey from top to bottom. Each step is drawn once. */
export function drawnFrom(d: JourneyDefinition): Drawn[] {
  const done = new Set<string>();
  const chain = (first: string, at: Place, stop: string): Drawn[] => {
    const out: Drawn[] = [];
    let place = at;
    for (let key = first; ; ) {
      if (key === stop && stop !== '') return [...out, { place }];
      const step = stepIn(d, key);
      if (step === undefined) return [...out, { place }];
      if (done.has(key)) return [...out, { place, jump: key }];
      done.add(key);
      if (!forked(step)) {
        out.push({ place, step });
        if (step.kind === 'exit') return out;
        place = { from: key };
        key = step.next ?? '';
        continue;
      }
      const join = meeting(d, step);
      const drawn: Drawn = { place, step };
      out.push(drawn);
      const [one, other, ...more] = exitsOf(step);
      const straight = [one, other].find((exit) => exit !== undefined && exit.to === join);
      const onward = straight === one ? other : one;
      if (step.kind === 'wait' && join !== '' && straight && onward && onward.to !== join && more.length === 0) {
        drawn.side = {
          place: placeOf(key, straight.way),
          to: join,
          ...(straight.way !== undefined && { way: straight.way }),
        };
        drawn.main = onward.way === undefined ? {} : { way: onward.way };
        place = placeOf(key, onward.way);
        key = onward.to;
        continue;
      }
      drawn.arms = exitsOf(step).map((exit) => {
        const here = placeOf(step.key, exit.way);
        return {
          place: here,
          ...(exit.way !== undefined && { way: exit.way }),
          list: chain(exit.to, here, join === '' ? stop : join),
        };
      });
      if (join === '' || join === stop) return out;
      if (done.has(join)) return [...out, { place: { from: key }, jump: join }];
      // What is put where ways meet is put behind each of them.
      place = { from: `>${join}` };
      key = join;
    }
  };
  return chain(d.start, START, '');
}

const freshKey = (d: JourneyDefinition, kind: string) => {
  for (let n = 1; ; n += 1) if (stepIn(d, `${kind}_${n}`) === undefined) return `${kind}_${n}`;
};

/** A new step of a kind, with the least that makes sense. All of its ways lead on to the same step. */
function newStep(key: string, kind: JourneyStepKind, next: string): JourneyStep {
  switch (kind) {
    case 'wait':
      return { key, kind, next, wait: { days: 1 } };
    case 'branch':
      return { key, kind, next, ways: [{ key: 'yes', next }] };
    case 'split':
      return {
        key,
        kind,
        ways: [
          { key: 'a', share: 50, next },
          { key: 'b', share: 50, next },
        ],
      };
    case 'switch':
      return { key, kind, next, ways: [{ key: 'v1', next }] };
    case 'send':
      return { key, kind, next, purpose: 'marketing' };
    case 'task':
      return { key, kind, next, title: '', days: 2 };
    case 'exit':
      return { key, kind };
    default:
      return { key, kind, next };
  }
}

const pointed = (d: JourneyDefinition, place: Place): string => {
  if (place.from === '') return d.start;
  if (place.from.startsWith('>')) return place.from.slice(1);
  const step = stepIn(d, place.from);
  return place.way === undefined ? (step?.next ?? '') : (step?.ways?.[place.way]?.next ?? '');
};

const redirected = (step: JourneyStep, from: string, to: string): JourneyStep => ({
  ...step,
  ...(step.next === from && { next: to }),
  ...(step.ways !== undefined && {
    ways: step.ways.map((way) => (way.next === from ? { ...way, next: to } : way)),
  }),
});

function point(d: JourneyDefinition, place: Place, to: string): JourneyDefinition {
  if (place.from === '') return { ...d, start: to };
  if (place.from.startsWith('>')) {
    const from = place.from.slice(1);
    return {
      ...d,
      start: d.start === from ? to : d.start,
      steps: stepsOf(d).map((step) => (step.key === to ? step : redirected(step, from, to))),
    };
  }
  return {
    ...d,
    steps: stepsOf(d).map((step) => {
      if (step.key !== place.from) return step;
      if (place.way === undefined) return { ...step, next: to };
      return { ...step, ways: (step.ways ?? []).map((way, at) => (at === place.way ? { ...way, next: to } : way)) };
    }),
  };
}

/** Steps that nobody reaches any more go. */
export function pruned(d: JourneyDefinition): JourneyDefinition {
  const kept = reachedFrom(d, d.start);
  return { ...d, steps: stepsOf(d).filter((step) => kept.includes(step.key)) };
}

export function insertStep(d: JourneyDefinition, place: Place, kind: JourneyStepKind): [JourneyDefinition, string] {
  const key = freshKey(d, kind);
  const step = newStep(key, kind, pointed(d, place));
  const next = point({ ...d, steps: [...stepsOf(d), step] }, place, key);
  return [pruned(next), key];
}

/** Without a step: whatever led to it leads where it led on, for everyone else. */
export function removeStep(d: JourneyDefinition, key: string): JourneyDefinition {
  const step = stepIn(d, key);
  if (step === undefined) return d;
  const to = step.next ?? step.ways?.[0]?.next ?? '';
  return pruned({
    ...d,
    start: d.start === key ? to : d.start,
    steps: stepsOf(d)
      .filter((each) => each.key !== key)
      .map((each) => redirected(each, key, to)),
  });
}

export const changeStep = (d: JourneyDefinition, step: JourneyStep): JourneyDefinition =>
  pruned({ ...d, steps: stepsOf(d).map((each) => (each.key === step.key ? step : each)) });

export const emptyJourney = (): JourneyDefinition => ({
  trigger: { kind: 'segment_entered' },
  reentry: { kind: 'once' },
  holdout: 10,
  goal: { kind: 'purchase', days: 30 },
  exit: { goal: true },
  start: 'exit_1',
  steps: [{ key: 'exit_1', kind: 'exit' }],
});
