import { describe, expect, it } from 'vitest';
import type { Figures } from '@/api';
import { moodOf, moods, praise, sum, topicMeasures, topicsOf } from './figures';

const figures = (groups: [unknown[], number][]): Figures => ({
  groups: groups.map(([values, count]) => ({ values, count, where: { all: [] }, measures: [] })),
  more: false,
  total: { count: groups.reduce((all, [, count]) => all + count, 0), measures: [] },
  plane: 'records',
  as_of: '',
  seconds: 0,
});

describe('figures of feedback', () => {
  it('what is not clear is neither praise nor complaint', () => {
    const mood = moodOf(
      figures([
        [['positive'], 6],
        [['negative'], 2],
        [['neutral'], 3],
        [[null], 1],
      ]),
    );
    expect(mood).toEqual({ positive: 6, negative: 2, neutral: 4 });
    expect(sum(mood)).toBe(12);
    expect(praise(mood)).toBe(0.75);
    expect(praise({ positive: 0, negative: 0, neutral: 9 })).toBeNull();
  });
  it('groups keep the value that they are of', () => {
    const rows = moods(
      figures([
        [['review', 'positive'], 2],
        [['review', 'negative'], 1],
        [[null, 'negative'], 4],
      ]),
    );
    expect(rows).toEqual([
      { value: 'review', key: 'review', mood: { positive: 2, negative: 1, neutral: 0 } },
      { value: null, key: '', mood: { positive: 0, negative: 4, neutral: 0 } },
    ]);
  });
  it('topics are read in the order in which they were asked', () => {
    expect(topicMeasures(['size', 'price']).map((one) => `${one.field} ${one.value}`)).toEqual([
      'topics size',
      'topics price',
      'complaints size',
      'complaints price',
    ]);
    expect(topicsOf(['size', 'price'], [5, 4, 3, null])).toEqual([
      { key: 'size', mentions: 5, complaints: 3 },
      { key: 'price', mentions: 4, complaints: 0 },
    ]);
  });
});
