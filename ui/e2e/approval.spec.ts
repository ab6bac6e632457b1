import { expectAccessible } from './axe';
import { settled } from './pages';
import { expect, type RecordData, test, toast } from './support';

test('a change that needs approval is sent, locked, approved and carried out', async ({
  page,
  t,
  api,
  faults,
  locale,
}) => {
  const note = locale?.startsWith('zh') ? '备注' : 'Note';
  faults.allow(/409 PATCH \/api\/v1\/records\/customer/);
  const stamp = `审批${Date.now().toString(36)}`;
  const made = await api.create('customer', { name: stamp, note: '原来的备注' });
  // The condition keeps the process to this record: other tests go on beside it.
  const process = await api.post<{ id: string }>('/approval-processes', {
    spec: {
      name: `流程${stamp}`,
      object: 'customer',
      enabled: true,
      action: 'update',
      fields: ['note'],
      where: { field: 'name', op: '=', value: stamp },
      whole: false,
      own: 'ask',
      once: false,
      steps: [{ name: '终审', mode: 'any', who: [{ kind: 'role', role: 'administrator' }] }],
    },
  });
  try {
    await test.step('the process shows in the settings', async () => {
      await page.goto('/settings/approvals');
      await page.getByRole('cell', { name: `流程${stamp}`, exact: true }).click();
      await expect(page.getByLabel(t('approvals:process.name')).first()).toHaveValue(`流程${stamp}`);
      await settled(page);
      await expectAccessible(page, 'approvals');
    });
    await test.step('saving asks whether to send it', async () => {
      await page.goto(`/o/customer/${made.id}`);
      await page.getByText('原来的备注').dblclick();
      const editor = page.getByRole('textbox', { name: note });
      await editor.fill('经过审批的备注');
      await editor.press('Control+Enter');
      const dialog = page.getByRole('dialog');
      await expect(dialog.getByText('终审')).toBeVisible();
      await dialog.getByLabel(t('approvals:ask.reason')).fill('请看一下');
      await dialog.getByRole('button', { name: t('approvals:ask.send') }).click();
      await expect(toast(page, t('approvals:sent.title'))).toBeVisible();
    });
    await test.step('the record says what is locked', async () => {
      const notice = page.getByRole('status').filter({ hasText: `流程${stamp}` });
      await expect(notice).toBeVisible();
      await notice.getByRole('link', { name: t('approvals:banner.show') }).click();
    });
    await test.step('it is approved from the page of approvals', async () => {
      const drawer = page.getByRole('dialog');
      await expect(drawer.getByText('经过审批的备注')).toBeVisible();
      await settled(page);
      await expectAccessible(page, 'approvals');
      await drawer.getByLabel(t('approvals:comment')).fill('同意');
      await drawer.getByRole('button', { name: t('approvals:approve'), exact: true }).click();
      await expect(drawer.getByText(t('approvals:state.applied')).first()).toBeVisible();
      const now = await api.get<RecordData>(`/records/customer/${made.id}`);
      expect(now.fields.note).toBe('经过审批的备注');
    });
  } finally {
    await api.json('DELETE', `/approval-processes/${process.id}`);
    await api.remove('customer', made.id);
  }
});
