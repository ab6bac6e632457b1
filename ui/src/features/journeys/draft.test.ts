import { describe, expect, it } from 'vitest';
import { type Drawn, drawnFrom, emptyJourney, insertStep, removeStep, stepIn, stepsOf } from './draft';

const keys = (list: readonly Drawn[]): string[] =>
  list.flatMap((one) => [
    one.step?.key ?? (one.jump === undefined ? '.' : `>${one.jump}`),
    ...(one.arms ?? []).flatMap((arm) => ['(', ...keys(arm.list), ')']),
  ]);

describe('drawing a journey', () => {
  it('puts steps between others, and takes them out again', () => {
    let d = emptyJourney();
    [d] = insertStep(d, { from: '' }, 'send');
    [d] = insertStep(d, { from: '' }, 'branch');
    expect(keys(drawnFrom(d))).toEqual(['branch_1', '(', '.', ')', '(', '.', ')', 'send_1', 'exit_1']);
    [d] = insertStep(d, { from: 'branch_1', way: 0 }, 'wait');
    [d] = insertStep(d, { from: 'wait_1' }, 'exit');
    expect(keys(drawnFrom(d))).toEqual(['branch_1', '(', 'wait_1', 'exit_2', ')', '(', 'send_1', 'exit_1', ')']);
    d = removeStep(d, 'branch_1');
    expect(keys(drawnFrom(d))).toEqual(['send_1', 'exit_1']);
    expect(stepsOf(d)).toHaveLength(2);
  });

  it('puts what stands where ways meet behind all of them', () => {
    let d = emptyJourney();
    [d] = insertStep(d, { from: '' }, 'split');
    [d] = insertStep(d, { from: 'split_1', way: 1 }, 'send');
    const meets = drawnFrom(d).at(-1);
    expect(meets?.step?.key).toBe('exit_1');
    [d] = insertStep(d, meets?.place ?? { from: '' }, 'task');
    expect(stepIn(d, 'send_1')?.next).toBe('task_1');
    expect(stepIn(d, 'split_1')?.ways?.[0]?.next).toBe('task_1');
    expect(stepIn(d, 'task_1')?.next).toBe('exit_1');
    expect(keys(drawnFrom(d))).toEqual(['split_1', '(', '.', ')', '(', 'send_1', '.', ')', 'task_1', 'exit_1']);
  });

  it('draws a ladder of waits as one column', () => {
    let d = emptyJourney();
    [d] = insertStep(d, { from: '' }, 'send');
    [d] = insertStep(d, { from: '' }, 'wait');
    const step = { ...stepsOf(d).find(({ key }) => key === 'wait_1') } as ReturnType<typeof stepsOf>[number];
    const awaited = { ...step, wait: { days: 7, event: 'purchase' }, ways: [{ key: 'came', next: 'exit_1' }] };
    d = { ...d, steps: stepsOf(d).map((each) => (each.key === 'wait_1' ? awaited : each)) };
    expect(keys(drawnFrom(d))).toEqual(['wait_1', 'send_1', 'exit_1']);
    expect(drawnFrom(d)[0]?.side).toEqual({ place: { from: 'wait_1', way: 0 }, way: 0, to: 'exit_1' });
    [d] = insertStep(d, { from: 'wait_1', way: 0 }, 'tag');
    expect(keys(drawnFrom(d))).toEqual(['wait_1', '(', 'tag_1', '.', ')', '(', 'send_1', '.', ')', 'exit_1']);
  });

  it('draws a way back once', () => {
    let d = emptyJourney();
    [d] = insertStep(d, { from: '' }, 'branch');
    [d] = insertStep(d, { from: 'branch_1', way: 0 }, 'wait');
    d = { ...d, steps: stepsOf(d).map((step) => (step.key === 'wait_1' ? { ...step, next: 'branch_1' } : step)) };
    expect(keys(drawnFrom(d))).toContain('>branch_1');
  });
});
