import { expect, test } from 'vitest';
import { guess, instantOf, namesOf, statementOf } from './import-file';

const heads: Record<string, string[]> = {
  'heads.customer': ['会员号'],
  'heads.purpose': ['用途'],
  'heads.state': ['表态'],
};
const words = (key: string) => heads[key] ?? [];

test('columns are known by their heads, each part once', () => {
  expect(guess(['会员号', '用途', 'Channel', '表态', 'Time', '颜色', 'phone'], words).map((one) => one.target)).toEqual(
    ['customer', 'purpose', 'channel', 'state', 'time', 'ignore', 'ignore'],
  );
});

test('times without a zone are those of the workspace', () => {
  expect(instantOf('2026-01-31', 'Asia/Shanghai')).toBe('2026-01-30T16:00:00Z');
  expect(instantOf('2026/1/31 8:05', 'Asia/Shanghai')).toBe('2026-01-31T00:05:00Z');
  expect(instantOf('2026-01-31T08:00:00Z', 'Asia/Shanghai')).toBe('2026-01-31T08:00:00Z');
  expect(instantOf('yesterday', 'Asia/Shanghai')).toBe('yesterday');
});

test('a row is a statement: names become keys, what is unknown stays, the same row has the same mark', () => {
  const names = {
    purpose: namesOf([['marketing', '营销']]),
    channel: namesOf([['sms', '短信']]),
    state: namesOf([
      ['given', '同意'],
      ['withdrawn', '撤回'],
      ['given', '是'],
    ]),
    source: namesOf([['form', '表单']]),
  };
  const columns = guess(['会员号', '用途', 'channel', '表态', 'time', 'guardian', 'wording'], words);
  const row = ['k1', ' 营销 ', 'SMS', '同意', '2026-01-31', '是', '2'];
  const said = statementOf(row, columns, names, 'UTC');
  expect(said).toMatchObject({
    customer: 'k1',
    purpose: 'marketing',
    channel: 'sms',
    state: 'given',
    guardian: true,
    wording: 2,
  });
  expect(said.at).toBe('2026-01-31T00:00:00Z');
  expect(statementOf(row, columns, names, 'UTC').once).toBe(said.once);
  const other = statementOf(['k2', '营销', '', 'maybe'], columns, names, 'UTC');
  expect(other).toMatchObject({ channel: 'any', state: 'maybe' });
  expect(other.at).toBeUndefined();
  expect(other.once).not.toBe(said.once);
});
