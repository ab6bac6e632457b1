import { describe, expect, it } from 'vitest';
import { isKept } from './keep';
import type { RecordData } from './types';
import { sameValue, type Waiting, waitingAbout, withWaiting } from './waiting';

const task = (fields: Record<string, unknown>): RecordData => ({
  id: 'tsk_1',
  object: 'task',
  title: 'a',
  version: 3,
  created_at: '',
  updated_at: '',
  created_by: null,
  deleted_at: null,
  fields,
});
const waiting = (patch: Partial<Waiting>): Waiting => ({
  id: '1',
  key: 'k',
  at: '2026-11-22T08:00:00Z',
  kind: 'update',
  object: 'task',
  record: 'tsk_1',
  about: null,
  title: 'a',
  fields: { status: 'done' },
  write: { status: 'done' },
  before: { status: 'open' },
  version: 3,
  needs: '',
  file: null,
  state: 'waiting',
  problem: '',
  errors: [],
  current: null,
  triedAt: 0,
  ...patch,
});

describe('what waits', () => {
  it('lies over the record it changes, and over no other', () => {
    const record = task({ status: 'open', subject: 'a' });
    expect(withWaiting(record, [waiting({})]).fields).toEqual({ status: 'done', subject: 'a' });
    expect(withWaiting(record, [waiting({ record: 'tsk_2' })])).toBe(record);
    expect(record.fields.status).toBe('open');
  });
  it('does not hide what somebody else wrote while the two are compared', () => {
    const record = task({ status: 'cancelled' });
    expect(withWaiting(record, [waiting({ state: 'conflict' })])).toBe(record);
  });
  it('is applied in the order of writing', () => {
    const later = waiting({ id: '2', fields: { status: 'open' } });
    expect(withWaiting(task({}), [waiting({}), later]).fields.status).toBe('open');
  });
  it('is found by what it is about', () => {
    const about = { object: 'customer', id: 'cus_1', title: 'x' };
    const visit = waiting({ id: '2', kind: 'create', about });
    expect(waitingAbout([waiting({}), visit], 'cus_1')).toEqual([visit]);
  });
});

describe('sameValue', () => {
  it('compares what is stored, not how it is shown', () => {
    expect(sameValue({ id: 'usr_1', title: 'Lin', object: 'user' }, { id: 'usr_1', title: 'Lin Xiao' })).toBe(true);
    expect(sameValue(null, undefined)).toBe(true);
    expect(sameValue('', null)).toBe(true);
    expect(sameValue('a', 'b')).toBe(false);
    expect(sameValue(['a', 'b'], ['b', 'a'])).toBe(false);
  });
});

describe('isKept', () => {
  it.each([
    '/me',
    '/day?user=',
    '/customers/cus_1/profile',
    '/records/visit/vst_1',
    '/records/customer/cus_1/timeline?limit=30',
    '/records/task/tsk_1/open',
  ])('keeps %s', (address) => expect(isKept(address)).toBe(true));
  it.each([
    '/users',
    '/apikeys',
    '/audit',
    '/records/customer/cus_1/history',
    '/records/customer/cus_1/timeline?cursor=abc',
    '/files/fil_1/content',
    '/home?days=30',
  ])('does not keep %s', (address) => expect(isKept(address)).toBe(false));
});
