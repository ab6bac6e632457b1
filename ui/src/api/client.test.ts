import { afterEach, expect, it, vi } from 'vitest';
import { api, apiUrl, sessionLost, setCsrf } from './client';
import { ApiError } from './errors';

const answer = (status: number, body: unknown) =>
  vi.stubGlobal(
    'fetch',
    vi.fn(async () => new Response(status === 204 ? null : JSON.stringify(body), { status })),
  );
afterEach(() => vi.unstubAllGlobals());

it('leaves out empty query values', () => {
  expect(apiUrl('/x', { a: 1, b: '', c: null, d: undefined })).toBe('/api/v1/x?a=1');
});

it('sends the token and the version with a change, and neither with a read', async () => {
  setCsrf('tok');
  answer(200, {});
  await api.patch('/records/customer/cus_1', {}, { ifMatch: 3 });
  await api.get('/objects');
  const [first, second] = vi.mocked(fetch).mock.calls;
  expect(first?.[1]?.headers).toMatchObject({ 'X-CSRF-Token': 'tok', 'If-Match': '"3"' });
  expect(second?.[1]?.headers).not.toHaveProperty('X-CSRF-Token');
});

it('turns a problem into an error that knows its fields', async () => {
  answer(422, {
    type: 'record.required',
    title: 'Invalid',
    status: 422,
    errors: [{ location: 'fields.name', message: 'needed', code: 'record.required' }],
  });
  const error = await api.post('/records/customer', {}).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ApiError);
  expect((error as ApiError).at('name')).toBe('needed');
  expect((error as ApiError).code).toBe('record.required');
});

it('asks for a sign-in once the session is gone, but not for the sign-in itself', async () => {
  const lost = vi.fn();
  const stop = sessionLost.on(lost);
  answer(401, { title: 'no', type: 'auth.required', status: 401 });
  await api.get('/objects').catch(() => undefined);
  await api.post('/session', {}, { quiet401: true }).catch(() => undefined);
  expect(lost).toHaveBeenCalledTimes(1);
  stop();
});

it('tells a lost network apart from a refusal', async () => {
  vi.stubGlobal(
    'fetch',
    vi.fn(async () => Promise.reject(new TypeError('failed'))),
  );
  const error = (await api.get('/objects').catch((caught: unknown) => caught)) as ApiError;
  expect([error.status, error.code]).toEqual([0, 'network']);
});
