import { expect, it } from 'vitest';
import { flag, oneOf, shape, text } from './search-params';

const read = shape({ q: text, deleted: flag, days: oneOf(30, 90) });

it('keeps what fits and leaves out the rest', () => {
  expect(read({ q: '张三', deleted: true, days: 90, other: 1 })).toEqual({ q: '张三', deleted: true, days: 90 });
});

it('never fails on what does not fit', () => {
  expect(read({ q: 7, deleted: 'maybe', days: 31 })).toEqual({});
  expect(read({})).toEqual({});
  const raw = { days: 31, q: 'a' };
  expect({ ...raw, ...read(raw) }, 'laid over the raw values').toEqual({ q: 'a' });
});
