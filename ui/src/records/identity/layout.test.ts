import { describe, expect, it } from 'vitest';
import type { IdentityProfile } from '@/api';
import { placeProfiles } from './layout';

const profile = (id: string, into?: string): IdentityProfile => ({
  id,
  root: 'a',
  customer: null,
  created_at: '2026-03-01T00:00:00Z',
  identifiers: [],
  ...(into !== undefined && { into }),
});

describe('placeProfiles', () => {
  it('puts what was joined below and to the right of what it was joined to', () => {
    const spots = placeProfiles([profile('c', 'b'), profile('a'), profile('b', 'a'), profile('d', 'a'), profile('e')]);
    expect(spots.map((spot) => [spot.profile.id, spot.depth, spot.row])).toEqual([
      ['a', 0, 0],
      ['b', 1, 1],
      ['c', 2, 2],
      ['d', 1, 3],
      ['e', 0, 4],
    ]);
  });
  it('shows a profile whose root is not there as a root', () => {
    expect(placeProfiles([profile('b', 'x')]).map((spot) => spot.depth)).toEqual([0]);
  });
});
