import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { beforeAll, expect, it, vi } from 'vitest';
import type { Condition, Field, ObjectType, Trait } from '@/api';
import { i18next, startI18n } from '@/i18n';
import { UiProvider } from '@/ui';
import { ConditionBuilder } from './condition-builder';

const field = (key: string, type: Field['type'], label: string): Field => ({
  key,
  type,
  label: { 'zh-CN': label, en: label },
  section: 'basic',
  required: false,
  unique: false,
  personal: false,
  read_only: false,
  operation_only: false,
  filterable: true,
  sortable: true,
  searchable: false,
  operators: [],
  access: 'write',
});
const spend: Trait = {
  key: 'spend_total',
  label: { 'zh-CN': '累计消费' },
  group: { 'zh-CN': '消费' },
  group_key: 'spend',
  type: 'money',
  definition: {},
  operators: ['>='],
  sortable: true,
};
const customer: ObjectType = {
  key: 'customer',
  label: { en: 'Customer' },
  plural: { en: 'Customers' },
  icon: 'users',
  prefix: 'cus',
  title_field: 'name',
  standard: true,
  hidden: false,
  actions: { create: true, update: true, delete: true, import: true },
  fields: [field('name', 'text', '姓名'), field('points', 'number', '积分')],
  default_columns: [],
  default_sort: [],
  related: [],
};

beforeAll(async () => {
  await startI18n(['common', 'conditions', 'fields']);
  await i18next.changeLanguage('zh-CN');
});

function setup(start: Condition | null) {
  const client = new QueryClient({
    defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY, retry: false } },
  });
  client.setQueryData(['objects'], { items: [customer] });
  client.setQueryData(['traits'], { items: [spend], computed_at: null, anchor: '2026-11-22' });
  client.setQueryData(['conditions', 'customer', event], { ok: true, sentence: { 'zh-CN': said }, errors: [] });
  const seen = vi.fn();
  function Host() {
    const [where, setWhere] = useState(start);
    return (
      <ConditionBuilder
        object="customer"
        allowTraits
        where={where}
        onChange={(next, state) => {
          setWhere(next);
          seen(next, state);
        }}
      />
    );
  }
  render(
    <QueryClientProvider client={client}>
      <UiProvider>
        <Host />
      </UiProvider>
    </QueryClientProvider>,
  );
  return seen;
}

it('starts with one empty row and says so', () => {
  setup(null);
  expect(screen.getByRole('button', { name: '选择条件' })).toBeInTheDocument();
});

it('builds a condition from a field, an operator and a value', async () => {
  const seen = setup(null);
  await userEvent.click(screen.getByRole('button', { name: '选择条件' }));
  await userEvent.click(await screen.findByRole('option', { name: '积分', hidden: true }));
  expect(seen.mock.lastCall).toEqual([{ all: [{ field: 'points', op: '>=', value: null }] }, { complete: false }]);
  await userEvent.type(await screen.findByRole('textbox', { name: '积分' }), '500');
  expect(seen.mock.lastCall).toEqual([{ all: [{ field: 'points', op: '>=', value: 500 }] }, { complete: true }]);
});

it('joins, excludes and removes', async () => {
  const seen = setup({
    all: [
      { field: 'name', op: 'is_set' },
      { field: 'points', op: '>', value: 1 },
    ],
  });
  await userEvent.click(screen.getByRole('radio', { name: '满足任一' }));
  expect(seen.mock.lastCall?.[0]).toEqual({
    any: [
      { field: 'name', op: 'is_set' },
      { field: 'points', op: '>', value: 1 },
    ],
  });
  const [, first] = screen.getAllByRole('button', { name: '排除' });
  if (first !== undefined) await userEvent.click(first);
  expect(seen.mock.lastCall?.[0]).toEqual({
    any: [{ not: { field: 'name', op: 'is_set' } }, { field: 'points', op: '>', value: 1 }],
  });
  const [remove] = screen.getAllByRole('button', { name: '删除条件' });
  if (remove !== undefined) await userEvent.click(remove);
  expect(seen.mock.lastCall?.[0]).toEqual({ any: [{ field: 'points', op: '>', value: 1 }] });
});

const said = '在名单“展会访客”中';
const event: Condition = { list: 'fair_2026', op: 'in' };

it('says in words what it cannot edit, keeps it, and removes it', async () => {
  const seen = setup({ all: [event, { field: 'name', op: 'is_set' }] });
  expect(await screen.findByText(said)).toBeInTheDocument();
  expect(document.body.textContent).not.toContain('fair_2026');
  await userEvent.click(screen.getByRole('radio', { name: '满足任一' }));
  expect(seen.mock.lastCall?.[0]).toEqual({ any: [event, { field: 'name', op: 'is_set' }] });
  const [remove] = screen.getAllByRole('button', { name: '删除条件' });
  if (remove !== undefined) await userEvent.click(remove);
  expect(seen.mock.lastCall?.[0]).toEqual({ any: [{ field: 'name', op: 'is_set' }] });
});

it('edits a random sample', async () => {
  const seen = setup({ random: { percent: 10, salt: 'a' } });
  const percent = await screen.findByRole('textbox', { name: '抽取比例' });
  await userEvent.clear(percent);
  expect(seen.mock.lastCall?.[1]).toEqual({ complete: false });
  await userEvent.type(percent, '2.5');
  const salt = screen.getByRole('textbox', { name: '抽样标识' });
  await userEvent.type(salt, 'b');
  expect(seen.mock.lastCall).toEqual([{ all: [{ random: { percent: 2.5, salt: 'ab' } }] }, { complete: true }]);
});

it('edits a ranking, and widens it to everyone', async () => {
  const seen = setup({ top: { trait: 'spend_total', count: 100, of: event } });
  expect(await screen.findByText(said, { exact: false })).toBeInTheDocument();
  await userEvent.type(await screen.findByRole('textbox', { name: '多少名' }), '0');
  expect(seen.mock.lastCall?.[0]).toEqual({ all: [{ top: { trait: 'spend_total', count: 1000, of: event } }] });
  await userEvent.click(screen.getByRole('button', { name: '改为所有人' }));
  expect(seen.mock.lastCall).toEqual([{ all: [{ top: { trait: 'spend_total', count: 1000 } }] }, { complete: true }]);
});
