import { describe, expect, it } from 'vitest';
import { decodeText, guessColumn, guessField, readRows } from './list-file';

describe('a file of values', () => {
  it('is read with its divider, quotes and empty lines', () => {
    expect(readRows('\ufeffa;b\r\n"x;1";"say ""hi"""\r\n\r\n2;\r\n')).toEqual([
      ['a', 'b'],
      ['x;1', 'say "hi"'],
      ['2', ''],
    ]);
    expect(readRows('13800138000\n13800138001')).toEqual([['13800138000'], ['13800138001']]);
    expect(readRows('')).toEqual([]);
  });
  it('is decoded from UTF-8 or else as Chinese spreadsheets write', () => {
    expect(decodeText(new Uint8Array([0xd0, 0xd5, 0xc3, 0xfb]).buffer)).toBe('\u59d3\u540d');
    expect(decodeText(new TextEncoder().encode('\u59d3\u540d').buffer as ArrayBuffer)).toBe('\u59d3\u540d');
  });
  it('shows by its values what they are', () => {
    expect(guessField(['138 0013 8000', '+86 13800138001', 'x'])).toBe('phone');
    expect(guessField(['a@b.cn'])).toBe('email');
    expect(guessField(['C-100', 'C-101'])).toBe(null);
    expect(
      guessColumn([
        ['name', 'phone'],
        ['Li', '13800138000'],
        ['Wang', '13900138000'],
      ]),
    ).toBe(1);
  });
});
