import { expect, test } from 'vitest';
import { CsvRows, linesOf, separatorOf } from '@/records/file-lines';
import { guess, messageOf } from './history-file';

test('rows of a sheet, however it is cut into pieces', () => {
  const text = 'a,b\r\n"x, ""y""\nz",2\n\nlast,"q"';
  for (let size = 1; size <= text.length; size++) {
    const csv = new CsvRows(',');
    const rows: string[][] = [];
    for (let at = 0; at < text.length; at += size) rows.push(...csv.push(text.slice(at, at + size)));
    rows.push(...csv.end());
    expect(rows).toEqual([
      ['a', 'b'],
      ['x, "y"\nz', '2'],
      ['last', 'q'],
    ]);
  }
});

test('a row becomes a message', () => {
  const heads = (target: string) => (target === 'userId' ? ['wer'] : []);
  const head = ['Time', 'Wer', 'event', 'price', 'code', 'vip', 'note'];
  const targets = guess(head, heads);
  expect(targets).toEqual(['timestamp', 'userId', 'event', 'property', 'property', 'property', 'property']);
  expect(
    messageOf(['2026-01-02 10:00:00', 'u1', 'Paid', '9.5', '007', 'true', ''], { head, targets, event: '' }),
  ).toEqual({
    type: 'track',
    timestamp: '2026-01-02 10:00:00',
    userId: 'u1',
    event: 'Paid',
    properties: { price: 9.5, code: '007', vip: true },
  });
  expect(messageOf(['x'], { head: ['user'], targets: guess(['user'], heads), event: 'Called' })).toEqual({
    type: 'track',
    userId: 'x',
    event: 'Called',
    properties: {},
  });
  expect(messageOf(['identify', 'A'], { head: ['type', 'name'], targets: ['type', 'property'], event: '' })).toEqual({
    type: 'identify',
    traits: { name: 'A' },
  });
});

test('lines of a file of both kinds', async () => {
  const read = async (text: string) => {
    const out = [];
    for await (const line of linesOf(new File([text], 'f'))) out.push(line);
    return out;
  };
  expect(await read('\ufeffevent;userId\nA;1\n')).toEqual([
    { number: 1, cells: ['event', 'userId'] },
    { number: 2, cells: ['A', '1'] },
  ]);
  expect(await read('{"event":"A"}\n\nno json\n{"event":"B"}')).toEqual([
    { number: 1, message: { event: 'A' } },
    { number: 3, message: null },
    { number: 4, message: { event: 'B' } },
  ]);
  expect(separatorOf('a\tb\tc,d')).toBe('\t');
});
