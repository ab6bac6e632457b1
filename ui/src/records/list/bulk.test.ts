import { afterEach, expect, it, vi } from 'vitest';
import type { BatchOperation } from '@/api';
import { runBatch, runOperations, withTags } from './bulk';

const answers = (statuses: number[]) => {
  const sent: BatchOperation[][] = [];
  vi.stubGlobal('fetch', async (_: string, init: RequestInit) => {
    const { operations } = JSON.parse(String(init.body)) as { operations: BatchOperation[] };
    sent.push(operations);
    const results = operations.map((operation, at) =>
      (statuses[at] ?? 200) < 400
        ? { status: 200, record: { id: operation.id, version: (operation.version ?? 0) + 1 } }
        : { status: statuses[at], error: { type: 'record.conflict', title: '已被修改' } },
    );
    return new Response(JSON.stringify({ results }), { headers: { 'content-type': 'application/json' } });
  });
  return sent;
};
afterEach(() => vi.unstubAllGlobals());

async function* portion() {
  yield [
    { id: 'a', version: 3, fields: { tags: ['old'] } },
    { id: 'b', version: 7, fields: { tags: null } },
    { id: 'c', version: 1, fields: { tags: ['new'] } },
  ];
}
const tag = (record: { id: string; version: number; fields: Record<string, unknown> }): BatchOperation | null => {
  const tags = withTags(record.fields.tags, ['new'], []);
  return record.id === 'c' ? null : { op: 'update', id: record.id, version: record.version, fields: { tags } };
};

it('knows how to take back exactly what it changed', async () => {
  const sent = answers([200, 200]);
  const done: number[] = [];
  const result = await runBatch('customer', portion(), tag, (count) => done.push(count));
  expect(result).toMatchObject({ ids: ['a', 'b'], failed: 0 });
  expect(sent).toEqual([
    [
      { op: 'update', id: 'a', version: 3, fields: { tags: ['old', 'new'] } },
      { op: 'update', id: 'b', version: 7, fields: { tags: ['new'] } },
    ],
  ]);
  expect(done).toEqual([3]);
  const back = await runOperations('customer', result.undo, () => undefined);
  expect(sent[1]).toEqual([
    { op: 'update', id: 'a', version: 4, fields: { tags: ['old'] } },
    { op: 'update', id: 'b', version: 8, fields: { tags: null } },
  ]);
  expect(back.ids).toEqual(['a', 'b']);
});

it('does not take back what was refused', async () => {
  answers([200, 412]);
  const result = await runBatch('customer', portion(), tag, () => undefined);
  expect(result).toMatchObject({ ids: ['a'], failed: 1, firstError: '已被修改' });
  expect(result.undo.map((operation) => operation.id)).toEqual(['a']);
});
