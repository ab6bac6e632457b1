import { settled } from './pages';
import { expect, type RecordData, test } from './support';

test('what customers say: complaints by topic, the texts behind them, and the list', async ({ page, t, api }) => {
  const product = await api.post<RecordData>('/records/product', {
    fields: { name: `Fb${Date.now()}`, code: `fb${Date.now()}` },
  });
  for (const body of ['尺码偏小，穿着很紧，很失望', '尺码太大，退货很麻烦，很差', '质量很好，很喜欢，推荐'])
    await api.post('/records/feedback', { fields: { body, product: product.id, channel: 'store' } });
  await page.goto(`/feedback?days=30&product=${product.id}`);
  await settled(page);
  await expect(page.getByRole('region', { name: t('feedback:term.count') })).toContainText('3');
  const topics = page.getByRole('region', { name: t('feedback:topics.title') });
  const size = topics.getByRole('row').filter({ hasText: '尺码' });
  await size.getByRole('button', { name: t('feedback:topics.said') }).click();
  await expect(page.getByText('尺码偏小，穿着很紧，很失望')).toBeVisible();
  await expect(page.getByText('质量很好，很喜欢，推荐')).toHaveCount(0);
  await size.getByRole('link', { name: '2' }).last().click();
  await expect(page).toHaveURL(/o\/feedback\?where=/);
  await settled(page);
  await expect(page.getByRole('grid').getByText('尺码太大，退货很麻烦，很差')).toBeVisible();
});
