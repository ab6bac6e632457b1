import { expect, it } from 'vitest';
import { passwordStrength } from '@/lib/password-strength';
import { safeNext } from './sign-in-page';

it('rates passwords by length and variety', () => {
  expect(passwordStrength('short')).toBe(0);
  expect(passwordStrength('aaaaaaaaaaaaaaaa')).toBe(1);
  expect(passwordStrength('correct horse battery')).toBeGreaterThanOrEqual(3);
});

it('goes on only within this site', () => {
  expect(safeNext('/o/customer?q=a')).toBe('/o/customer?q=a');
  for (const bad of [undefined, '//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)'])
    expect(safeNext(bad)).toBe('/');
});
