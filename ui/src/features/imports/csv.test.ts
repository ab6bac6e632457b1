import { describe, expect, it } from 'vitest';
import { csvOf, retryName } from './csv';

describe('csvOf', () => {
  it('quotes what needs it and nothing else', () => {
    expect(
      csvOf([
        ['a', 'b,c'],
        ['say "hi"', 'two\nlines'],
      ]),
    ).toBe('\ufeffa,"b,c"\r\n"say ""hi""","two\nlines"\r\n');
  });
});

describe('retryName', () => {
  it('marks the name once', () => {
    expect(retryName('会员.xlsx')).toBe('会员-retry.csv');
    expect(retryName('c.csv.gz')).toBe('c-retry.csv');
    expect(retryName('c-retry.csv')).toBe('c-retry.csv');
  });
});
