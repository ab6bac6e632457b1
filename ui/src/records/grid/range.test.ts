import { expect, it } from 'vitest';
import { rangeBetween } from './range';
import { fromTsv, toTsv } from './tsv';

it('is the rectangle between two cells', () => {
  expect(rangeBetween({ row: 5, column: 1 }, { row: 2, column: 3 })).toEqual({ top: 2, bottom: 5, left: 1, right: 3 });
  expect(rangeBetween({ row: 5, column: 1 }, { row: 5, column: 1 })).toBeNull();
  expect(rangeBetween(null, { row: 1, column: 1 })).toBeNull();
  expect(rangeBetween({ row: -1, column: 0 }, { row: 2, column: 0 })).toBeNull();
});

it('speaks the clipboard of spreadsheets both ways', () => {
  const cells = [
    ['a', 'b "quoted"', ''],
    ['two\nlines', 'tab\there', '3'],
  ];
  expect(toTsv(cells)).toBe('a\t"b ""quoted"""\t\n"two\nlines"\t"tab\there"\t3');
  expect(fromTsv(toTsv(cells))).toEqual(cells);
  expect(fromTsv('1\t2\r\n3\t4\r\n')).toEqual([
    ['1', '2'],
    ['3', '4'],
  ]);
  expect(fromTsv('5" pipe\tx')).toEqual([['5" pipe', 'x']]);
  expect(fromTsv('')).toEqual([]);
  expect(fromTsv('a\n\nb')).toEqual([['a'], [''], ['b']]);
});
