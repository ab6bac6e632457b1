import { expect, it } from 'vitest';
import { i18next, startI18n } from '.';

it('writes numbers in sentences as the language does', async () => {
  await startI18n(['common', 'segments', 'records', 'jobs']);
  await i18next.changeLanguage('en');
  expect(i18next.t('segments:firstOf', { shown: 12, count: 1537 })).toBe('First 12 of 1,537');
  expect(i18next.t('jobs:said.delete', { count: 12_345 })).toBe('Deleted 12,345 records');
  expect(i18next.t('records:bulk.selected', { count: 3, text: '3+' }), 'text stays as it is').toContain('3+');
  await i18next.changeLanguage('zh-CN');
  expect(i18next.t('jobs:said.delete', { count: 12_345 })).toBe('已删除 12,345 条记录');
});
