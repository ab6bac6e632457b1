import { expect, it } from 'vitest';
import { faultsByNode, nodeLocations } from './locations';
import { group, leaf, toCondition } from './tree';

const city = leaf({ field: 'city', op: '=', value: 'x' });
const points = leaf({ field: 'points', op: '>' });
const blank = leaf();

it('points at the leaves of a single card, past empty rows', () => {
  const root = group('all', [group('any', [blank, city, points])]);
  expect(toCondition(root)).toEqual({ any: [city.condition, points.condition] });
  const places = nodeLocations(root);
  expect(places.get(city.id)).toBe('/any/0');
  expect(places.get(points.id)).toBe('/any/1');
  expect(places.has(blank.id)).toBe(false);
});

it('follows cards, exclusion and nesting', () => {
  const inner = { ...group('any', [points]), not: true };
  const root = group('all', [group('all', [city]), group('all', [inner])]);
  const places = nodeLocations(root);
  expect(places.get(city.id)).toBe('/all/0/all/0');
  expect(places.get(points.id)).toBe('/all/1/all/0/not/any/0');
});

it('gives each message to the innermost node', () => {
  const root = group('all', [group('all', [city, points])]);
  const faults = faultsByNode(root, [
    { location: '/all/1/value', message: 'missing' },
    { location: '/all/1/value', message: 'missing' },
    { location: '/elsewhere', message: 'lost' },
  ]);
  expect(faults.get(points.id)).toBe('missing');
  expect(faults.get(city.id)).toBeUndefined();
});
