import { currentLanguage } from '@/i18n';
import { createEmitter } from '@/lib/emitter';
import { lost, reached } from './connection';
import { ApiError, type Problem } from './errors';
import { keptAnswer, saw } from './keep';

export const API = '/api/v1';

/** Fires when a request finds that the session has ended; the shell answers with a sign-in over the page. */
export const sessionLost = createEmitter<void>();

let csrf = '';
/** The token that comes with the session; sent with every request that changes something. */
export function setCsrf(token: string): void {
  csrf = token;
}

export type QueryParams = Record<string, string | number | boolean | null | undefined>;

export interface RequestOptions {
  query?: QueryParams;
  body?: unknown;
  /** The version that the change was made on; a newer one on the server answers 412. */
  ifMatch?: number | undefined;
  idempotencyKey?: string;
  signal?: AbortSignal | undefined;
  /** The sign-in itself and the first question "who am I" must not ask for a sign-in. */
  quiet401?: boolean;
}

type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

export function apiUrl(path: string, query?: QueryParams): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {}))
    if (value !== null && value !== undefined && value !== '') params.set(key, String(value));
  const text = params.toString();
  return text === '' ? API + path : `${API}${path}?${text}`;
}

export function requestHeaders(method: string): Record<string, string> {
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': currentLanguage() };
  if (method !== 'GET' && csrf !== '') headers['X-CSRF-Token'] = csrf;
  return headers;
}

export function problemOf(status: number, text: string, statusText = ''): Problem {
  try {
    const body = JSON.parse(text) as Partial<Problem>;
    if (typeof body.title === 'string' || typeof body.detail === 'string')
      return { ...body, type: body.type ?? 'unknown', title: body.title ?? statusText, status };
  } catch {
    // A proxy's HTML page, or nothing at all: the status has to do.
  }
  return { type: status >= 500 ? 'server' : 'unknown', title: statusText || `HTTP ${status}`, status };
}

/** A proxy that answers for a server it cannot reach. */
const GATEWAY = new Set([502, 504]);

async function unreachable<T>(method: Method, address: string): Promise<T> {
  lost();
  const kept = method === 'GET' ? await keptAnswer(address) : null;
  if (kept !== null) return JSON.parse(kept) as T;
  throw new ApiError({ type: 'network', title: 'network', status: 0 });
}

async function request<T>(method: Method, path: string, options: RequestOptions = {}): Promise<T> {
  const headers = requestHeaders(method);
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  if (options.ifMatch !== undefined) headers['If-Match'] = `"${options.ifMatch}"`;
  if (options.idempotencyKey !== undefined) headers['Idempotency-Key'] = options.idempotencyKey;

  const address = apiUrl(path, options.query);
  let response: Response;
  try {
    response = await fetch(address, {
      method,
      headers,
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: options.signal ?? null,
      credentials: 'same-origin',
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    return await unreachable(method, address.slice(API.length));
  }
  if (GATEWAY.has(response.status)) return await unreachable(method, address.slice(API.length));
  reached();
  const text = response.status === 204 ? '' : await response.text();
  if (response.ok) {
    if (method === 'GET') saw(address.slice(API.length), text);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }
  if (response.status === 401 && options.quiet401 !== true) sessionLost.emit();
  const retryAfter = Number(response.headers.get('Retry-After'));
  throw new ApiError(
    problemOf(response.status, text, response.statusText),
    Number.isNaN(retryAfter) ? null : retryAfter,
  );
}

/** The only place that talks to the server (uploads, in upload.ts, need XMLHttpRequest for their progress). */
export const api = {
  get: <T>(path: string, options?: RequestOptions) => request<T>('GET', path, options),
  post: <T>(path: string, body?: unknown, options?: RequestOptions) => request<T>('POST', path, { ...options, body }),
  patch: <T>(path: string, body: unknown, options?: RequestOptions) => request<T>('PATCH', path, { ...options, body }),
  delete: <T = void>(path: string, options?: RequestOptions) => request<T>('DELETE', path, options),
};
