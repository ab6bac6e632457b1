/** One field of a refused request. `location` is a path such as "fields.name" or "/all/0/value". */
export interface FieldError {
  location: string;
  message: string;
  code: string;
  /** The record that has the value already. */
  record?: string;
}

/** RFC 9457 problem, as every refused request answers. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail?: string;
  errors?: FieldError[];
  /** Only with 412: the record as it is now. */
  current?: unknown;
  /** Only with 409: records that may be the same. */
  duplicates?: unknown[];
}

/** A request that the server refused, or that never reached it (status 0, code "network"). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly fields: readonly FieldError[];
  readonly current: unknown;
  readonly duplicates: readonly unknown[];
  readonly retryAfter: number | null;

  constructor(problem: Problem, retryAfter: number | null = null) {
    super(problem.detail || problem.title);
    this.name = 'ApiError';
    this.status = problem.status;
    this.code = problem.type;
    this.detail = problem.detail ?? '';
    this.fields = problem.errors ?? [];
    this.current = problem.current ?? null;
    this.duplicates = problem.duplicates ?? [];
    this.retryAfter = retryAfter;
  }

  /** The message at one location, for the input it belongs to. "name" finds "fields.name" and "body.name" too. */
  at(location: string): string | undefined {
    return this.fields.find((error) => error.location === location || error.location.endsWith(`.${location}`))?.message;
  }
}

export const isApiError = (error: unknown, status?: number): error is ApiError =>
  error instanceof ApiError && (status === undefined || error.status === status);

export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError';

/** The text to show for any error that a request threw. */
export function errorText(error: unknown): string {
  if (error instanceof Error) return error.message;
  return String(error);
}

/** What a form shows of an error: what is said of one place, and all of it in one sentence. */
export function faultsOf(error: Error | null) {
  const fields = error instanceof ApiError ? error.fields : [];
  return {
    at: (place: string) => fields.find((item) => item.location === place)?.message,
    rest: error === null ? null : fields.map((item) => item.message).join(' ') || error.message,
  };
}
