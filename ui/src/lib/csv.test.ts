import { expect, test } from 'vitest';
import { csvText } from './csv';

test('quotes what needs it and lets no name become a formula', () => {
  expect(
    csvText(
      ['a', 'b'],
      [
        ['x,"y"', 1.5],
        ['=1+1', null],
        ['-5', -5],
      ],
    ),
  ).toBe('\ufeffa,b\r\n"x,""y""",1.5\r\n\'=1+1,\r\n\'-5,-5\r\n');
});
