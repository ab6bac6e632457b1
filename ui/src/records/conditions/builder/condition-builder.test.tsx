import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { beforeAll, expect, it, vi } from 'vitest';
import type { Condition, Field, ObjectType } from '@/api';
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
  const seen = vi.fn();
  function Host() {
    const [where, setWhere] = useState(start);
    return (
      <ConditionBuilder
        object="customer"
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
  await userEvent.click(screen.getByRole('option', { name: '积分', hidden: true }));
  expect(seen.mock.lastCall).toEqual([{ all: [{ field: 'points', op: '=', value: null }] }, { complete: false }]);
  await userEvent.type(await screen.findByRole('textbox', { name: '积分' }), '500');
  expect(seen.mock.lastCall).toEqual([{ all: [{ field: 'points', op: '=', value: 500 }] }, { complete: true }]);
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

it('keeps what it cannot edit', async () => {
  const random: Condition = { random: { percent: 10, salt: 'a' } };
  const seen = setup({ all: [random, { field: 'name', op: 'is_set' }] });
  expect(screen.getByText(JSON.stringify(random))).toBeInTheDocument();
  await userEvent.click(screen.getByRole('radio', { name: '满足任一' }));
  expect(seen.mock.lastCall?.[0]).toEqual({ any: [random, { field: 'name', op: 'is_set' }] });
});
