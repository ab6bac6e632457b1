import { QueryClientProvider } from '@tanstack/react-query';
import { act, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { createQueryClient, type Field, type ObjectType, type RecordData, type RecordQuery } from '@/api';
import { setLanguage, startI18n } from '@/i18n';
import { UiProvider } from '@/ui';
import { useSaveFields } from '../edit/use-save-fields';
import { makeColumns } from './columns';
import { Grid } from './grid';
import { NOTHING, type Selection, selectedCount } from './selection';

const TOTAL = 250;
const field = (key: string, type: Field['type'], extra: Partial<Field> = {}): Field =>
  ({
    key,
    type,
    label: { 'zh-CN': key, en: key },
    section: 'basic',
    access: 'write',
    sortable: true,
    operators: [],
    ...extra,
  }) as Field;
const object = {
  key: 'customer',
  label: { en: 'Customer' },
  plural: { en: 'Customers' },
  title_field: 'name',
  actions: { create: true, update: true, delete: true, import: true },
  fields: [
    field('name', 'text', { required: true }),
    field('note', 'text'),
    field('number', 'text', { access: 'read' }),
    field('phone', 'phone', { personal: true }),
  ],
  default_columns: [],
  default_sort: [],
  related: [],
} as unknown as ObjectType;

const records = (): RecordData[] =>
  Array.from({ length: TOTAL }, (_, at) => ({
    id: `cus_${at}`,
    object: 'customer',
    title: `Name ${at}`,
    version: 1,
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
    created_by: null,
    deleted_at: null,
    fields: { name: `Name ${at}`, note: `note ${at}`, number: `N${at}`, phone: '138****0000' },
    masked: ['phone'],
  }));

let data = records();
let patches: { id: string; fields: Record<string, unknown>; version: string | null }[] = [];
let refuse: (id: string) => { status: number; body: unknown } | null = () => null;
const asked: RecordQuery[] = [];

const reply = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });
async function fakeServer(input: string, init: RequestInit): Promise<Response> {
  const url = new URL(input, 'http://x');
  const body = JSON.parse(String(init.body ?? '{}'));
  if (url.pathname.endsWith('/query')) {
    asked.push(body);
    const from = body.offset ?? 0;
    const items = data.slice(from, from + body.limit);
    return reply(200, {
      items,
      next_cursor: from + body.limit < TOTAL ? 'more' : null,
      total: TOTAL,
      total_is_estimate: false,
      plane: 'records',
    });
  }
  const id = url.pathname.split('/').at(-1) ?? '';
  const refused = refuse(id);
  if (refused !== null) return reply(refused.status, refused.body);
  const record = data.find((candidate) => candidate.id === id);
  if (record === undefined) return reply(404, { title: 'gone', type: 'x' });
  const headers = init.headers as Record<string, string>;
  patches.push({ id, fields: body.fields, version: headers['If-Match'] ?? null });
  const saved = { ...record, version: record.version + 1, fields: { ...record.fields, ...body.fields } };
  data = data.map((candidate) => (candidate.id === id ? saved : candidate));
  return reply(200, saved);
}

const onOpen = vi.fn();
const onSort = vi.fn();
const onMove = vi.fn();
const onResize = vi.fn();
const columns = makeColumns(['name', 'note', 'number', 'phone'], { object, traits: [], language: 'en', widths: {} });
const QUERY: RecordQuery = { fields: ['name', 'note', 'number', 'phone'] };

function Bench() {
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const { save, dialog } = useSaveFields(object, (candidate) => candidate.key);
  return (
    <>
      <Grid
        label="Customers"
        object="customer"
        query={QUERY}
        columns={columns}
        sort={[{ field: 'name', desc: true }]}
        selection={selection}
        exactTotal={TOTAL}
        avatar
        peeked={undefined}
        hrefOf={(record) => `/o/customer/${record.id}`}
        onSelect={setSelection}
        onSort={onSort}
        onMove={onMove}
        onResize={onResize}
        onOpen={onOpen}
        onEdit={(record, column, value) => void save(record, { [column.key]: value })}
      />
      <output>{selectedCount(selection, TOTAL)}</output>
      {dialog}
    </>
  );
}

async function bench() {
  render(
    <QueryClientProvider client={createQueryClient()}>
      <UiProvider>
        <Bench />
      </UiProvider>
    </QueryClientProvider>,
  );
  await screen.findByText('Name 0');
  const grid = screen.getByRole('grid');
  act(() => grid.focus());
  const user = userEvent.setup();
  const activeText = () => document.getElementById(grid.getAttribute('aria-activedescendant') ?? '')?.textContent ?? '';
  return { grid, user, activeText };
}

beforeAll(async () => {
  await startI18n(['common', 'records', 'fields']);
  await setLanguage('en');
});
beforeEach(() => {
  data = records();
  patches = [];
  asked.length = 0;
  refuse = () => null;
  vi.clearAllMocks();
  vi.stubGlobal('fetch', vi.fn(fakeServer));
});
afterEach(() => vi.unstubAllGlobals());

it('says what it is to assistive technology', async () => {
  const { grid } = await bench();
  expect(grid).toHaveAttribute('aria-rowcount', String(TOTAL + 1));
  expect(grid).toHaveAttribute('aria-colcount', '5');
  expect(screen.getByRole('columnheader', { name: /name/ })).toHaveAttribute('aria-sort', 'descending');
  expect(screen.getByText('Name 3').closest('[role="row"]')).toHaveAttribute('aria-rowindex', '5');
  expect(within(grid).getAllByRole('row').length).toBeLessThan(60);
});

it('moves with the keys and keeps the active cell named', async () => {
  const { user, activeText } = await bench();
  await user.keyboard('{ArrowDown}{ArrowDown}{ArrowRight}');
  const moved = activeText();
  expect(moved).toMatch(/^note \d$/);
  await user.keyboard('{ArrowLeft}{Home}');
  expect(activeText()).toContain('Name 0');
  await user.keyboard('{End}');
  await waitFor(() => expect(activeText()).toContain(`Name ${TOTAL - 1}`));
  await user.keyboard('{PageUp}');
  await waitFor(() => expect(activeText()).not.toContain(`Name ${TOTAL - 1}`));
});

it('asks for the page that comes into sight, by offset', async () => {
  const { user } = await bench();
  await user.keyboard('{ArrowDown}{End}');
  await waitFor(() => expect(asked.map((query) => query.offset ?? 0)).toContain(200));
  expect(asked.every((query) => query.limit === 100)).toBe(true);
  expect(asked.filter((query) => query.total !== undefined)).toHaveLength(1);
});

it('opens with Enter on the title, peeks with a click, leaves the browser its own clicks', async () => {
  const { user } = await bench();
  await user.keyboard('{ArrowDown}{Home}{Enter}');
  expect(onOpen).toHaveBeenCalledWith(expect.objectContaining({ id: 'cus_0' }), 'page', 0);
  await user.click(screen.getByText('Name 4'));
  expect(onOpen).toHaveBeenLastCalledWith(expect.objectContaining({ id: 'cus_4' }), 'peek', 4);
  onOpen.mockClear();
  fireEvent.click(screen.getByText('Name 5'), { ctrlKey: true });
  expect(onOpen).not.toHaveBeenCalled();
});

it('selects with Space, X, Shift and everything at once, and lets go with Escape', async () => {
  const { user } = await bench();
  const count = () => document.querySelector('output')?.textContent;
  await user.keyboard('{ArrowDown}{Home} ');
  expect(count()).toBe('1');
  await user.keyboard('{Shift>}{ArrowDown}{ArrowDown}{/Shift}');
  expect(count()).toBe('3');
  await user.keyboard('{Control>}a{/Control}');
  expect(count()).toBe(String(TOTAL));
  await user.keyboard('x');
  expect(count()).toBe(String(TOTAL - 1));
  await user.keyboard('{Escape}');
  expect(count()).toBe('0');
});

it('works on the headers: sort, move and width', async () => {
  const { user } = await bench();
  await user.keyboard('{ArrowDown}{Home}{ArrowUp}{ArrowRight}{Enter}');
  expect(onSort).toHaveBeenCalledWith(expect.objectContaining({ key: 'note' }), false);
  await user.keyboard('{Shift>}{ArrowRight}{/Shift}');
  expect(onResize).toHaveBeenCalledWith('note', (columns[1]?.width ?? 0) + 16);
  await user.keyboard('{Alt>}{ArrowRight}{/Alt}');
  expect(onMove).toHaveBeenCalledWith('note', 2);
});

it('edits a cell: F2, Enter saves with the version, the row shows it at once', async () => {
  const { user } = await bench();
  await user.keyboard('{ArrowDown}{Home}{ArrowRight}{F2}');
  const input = await screen.findByRole('textbox', { name: 'note' });
  expect(input).toHaveFocus();
  await user.clear(input);
  await user.type(input, 'fresh{Enter}');
  expect(await screen.findByText('fresh')).toBeInTheDocument();
  await waitFor(() => expect(patches).toEqual([{ id: 'cus_0', fields: { note: 'fresh' }, version: '"1"' }]));
});

it('takes an edit back', async () => {
  const { user } = await bench();
  await user.dblClick(screen.getByText('note 1'));
  await user.type(await screen.findByRole('textbox', { name: 'note' }), ' more{Enter}');
  await waitFor(() => expect(patches).toHaveLength(1));
  const undo = await screen.findAllByRole('button', { name: 'Undo' });
  await user.click(undo.at(-1) as HTMLElement);
  await waitFor(() => expect(patches.map((patch) => patch.fields.note)).toEqual(['note 1 more', 'note 1']));
  expect(patches[1]?.version).toBe('"2"');
  expect(await screen.findByText('note 1')).toBeInTheDocument();
});

it('leaves a cell alone with Escape, and where nothing may be written', async () => {
  const { user } = await bench();
  await user.dblClick(screen.getByText('note 2'));
  await user.type(await screen.findByRole('textbox', { name: 'note' }), 'x{Escape}');
  expect(screen.queryByRole('textbox')).toBeNull();
  await user.dblClick(screen.getByText('N2'));
  expect(screen.queryByRole('textbox')).toBeNull();
  expect(patches).toEqual([]);
});

it('starts a masked value empty, so that stars are never saved', async () => {
  const { user } = await bench();
  const cell = document.querySelector('[data-row="0"] [data-col="3"]') as HTMLElement;
  await user.dblClick(cell);
  expect(await screen.findByRole('textbox', { name: 'phone' })).toHaveValue('');
  await user.keyboard('{Enter}');
  expect(patches).toEqual([]);
});

it('puts the old value back when the server refuses', async () => {
  const { user } = await bench();
  refuse = () => ({
    status: 422,
    body: {
      type: 'record.invalid',
      title: 'Invalid',
      errors: [{ location: 'fields.note', message: 'too long', code: 'x' }],
    },
  });
  await user.dblClick(screen.getByText('note 3'));
  await user.type(await screen.findByRole('textbox', { name: 'note' }), '!{Enter}');
  expect(await screen.findByRole('alert')).toHaveTextContent('note: too long');
  expect(screen.getByText('note 3')).toBeInTheDocument();
});

it('shows theirs against mine when somebody was faster, and overwrites only when told to', async () => {
  const { user } = await bench();
  const current = { ...(data[4] as RecordData), version: 7, fields: { ...data[4]?.fields, note: 'theirs' } };
  refuse = () => ({ status: 412, body: { type: 'record.version', title: 'changed', current } });
  await user.dblClick(screen.getByText('note 4'));
  const input = await screen.findByRole('textbox', { name: 'note' });
  await user.clear(input);
  await user.type(input, 'mine{Enter}');
  const dialog = await screen.findByRole('dialog');
  expect(dialog).toHaveTextContent('theirs');
  expect(dialog).toHaveTextContent('mine');
  expect(patches).toEqual([]);
  refuse = () => null;
  await user.click(within(dialog).getByRole('button', { name: 'Use mine' }));
  await waitFor(() => expect(patches).toEqual([{ id: 'cus_4', fields: { note: 'mine' }, version: '"7"' }]));
});
