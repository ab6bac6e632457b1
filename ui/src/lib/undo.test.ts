import { expect, it } from 'vitest';
import { back, change, forth, startUndo, UNDO_STEPS } from './undo';

it('goes back and forth', () => {
  let undo = startUndo({ n: 0 });
  undo = change(undo, { n: 1 });
  undo = change(undo, { n: 2 });
  undo = back(undo);
  expect(undo.now.n).toBe(1);
  undo = back(undo);
  undo = back(undo);
  expect(undo.now.n).toBe(0);
  undo = forth(forth(undo));
  expect(undo.now.n).toBe(2);
  expect(forth(undo)).toBe(undo);
});

it('forgets what was undone once something new is done', () => {
  const undo = change(back(change(startUndo('a'), 'b')), 'c');
  expect(undo.future).toEqual([]);
  expect(back(undo).now).toBe('a');
});

it('joins letters typed in one go into one step', () => {
  let undo = startUndo('');
  undo = change(undo, 'V', 'label', 10);
  undo = change(undo, 'VI', 'label', 200);
  undo = change(undo, 'VIP', 'label', 5000);
  expect(back(undo).now).toBe('VI');
  expect(back(back(undo)).now).toBe('');
});

it('keeps a hundred steps', () => {
  let undo = startUndo(0);
  for (let n = 1; n <= UNDO_STEPS + 20; n++) undo = change(undo, n);
  expect(undo.past).toHaveLength(UNDO_STEPS);
  expect(undo.past[0]).toBe(20);
});
