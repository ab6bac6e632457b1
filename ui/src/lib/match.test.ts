import { expect, it } from 'vitest';
import { hueOf, initialOf } from './hue';
import { matchScore } from './match';

it('finds Chinese words by text, pinyin and initials', () => {
  const words = { label: '客户', pinyin: 'ke hu' };
  expect(matchScore('客', words)).toBeGreaterThan(0);
  expect(matchScore('kehu', words)).toBeGreaterThan(0);
  expect(matchScore('kh', words)).toBeGreaterThan(0);
  expect(matchScore('x', words)).toBe(0);
});

it('gives a name always the same hue and sign', () => {
  expect(hueOf('王子轩')).toBe(hueOf('王子轩'));
  expect(initialOf('王子轩')).toBe('王');
  expect(initialOf('alice')).toBe('A');
});
