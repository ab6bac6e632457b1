import { expect, it } from 'vitest';
import { partsOf, readable, storable } from './mentions';

it('turns names into people and back', () => {
  const people = new Map([
    ['Li', 'usr_1'],
    ['Li Lei', 'usr_2'],
  ]);
  const stored = storable('@Li Lei please call, @Li knows; mail li@x.cn', people);
  expect(stored).toBe('@[Li Lei](usr_2) please call, @[Li](usr_1) knows; mail li@x.cn');
  expect(readable(stored)).toEqual({
    text: '@Li Lei please call, @Li knows; mail li@x.cn',
    people: new Map([
      ['Li Lei', 'usr_2'],
      ['Li', 'usr_1'],
    ]),
  });
  expect(partsOf('a @[B](usr_3)')).toEqual([{ text: 'a ' }, { text: '@B', person: 'usr_3' }]);
});
