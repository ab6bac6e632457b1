import { expect, it } from 'vitest';
import { startUndo } from '@/lib/undo';
import { countCall } from './api-call';
import { emptyDraft, reduceDraft, sameDraft } from './draft';
import { saysIsNot } from './notes';

it('takes edits of a draft back and does them again', () => {
  let undo = startUndo(emptyDraft());
  undo = reduceDraft(undo, { type: 'edit', part: { label: 'V' }, tag: 'label', at: 1 });
  undo = reduceDraft(undo, { type: 'edit', part: { label: 'VIP' }, tag: 'label', at: 200 });
  undo = reduceDraft(undo, { type: 'edit', part: { kind: 'static' }, at: 300 });
  undo = reduceDraft(undo, { type: 'undo' });
  expect(undo.now).toMatchObject({ label: 'VIP', kind: 'dynamic' });
  undo = reduceDraft(undo, { type: 'undo' });
  expect(sameDraft(undo.now, emptyDraft())).toBe(true);
  undo = reduceDraft(reduceDraft(undo, { type: 'redo' }), { type: 'redo' });
  expect(undo.now).toMatchObject({ label: 'VIP', kind: 'static' });
});

it('notices "is not", however deep', () => {
  expect(saysIsNot(null)).toBe(false);
  expect(saysIsNot({ all: [{ field: 'city', op: '=', value: 'a' }] })).toBe(false);
  expect(saysIsNot({ any: [{ not: { field: 'city', op: 'not_in', value: ['a'] } }] })).toBe(true);
  expect(saysIsNot({ record: 'order', op: 'none', where: { field: 'status', op: '!=', value: 'x' } })).toBe(true);
});

it('quotes a condition for the shell', () => {
  const call = countCall({ field: 'name', op: '=', value: "O'Neil" }, 'https://crm.example');
  expect(call).toContain('https://crm.example/api/v1/segments/count');
  expect(call).toContain(String.raw`O'\''Neil`);
});
