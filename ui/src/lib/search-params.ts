/** Reads one value of an address; what does not fit is undefined, never an error. */
export type Reader<T> = (raw: unknown) => T | undefined;

export const text: Reader<string> = (raw) => (typeof raw === 'string' ? raw : undefined);
export const flag: Reader<boolean> = (raw) => (typeof raw === 'boolean' ? raw : undefined);

/** Named values, as they come: whoever uses them looks at them. */
export const record: Reader<Record<string, unknown>> = (raw) =>
  typeof raw === 'object' && raw !== null && !Array.isArray(raw) ? (raw as Record<string, unknown>) : undefined;

/** A whole number from 1 on. */
export const whole: Reader<number> = (raw) =>
  typeof raw === 'number' && Number.isInteger(raw) && raw >= 1 ? raw : undefined;

export const oneOf =
  <T>(...values: T[]): Reader<T> =>
  (raw) =>
    values.find((value) => value === raw);

type Values<S> = { [K in keyof S]?: (S[K] extends Reader<infer T> ? T : never) | undefined };

/** Reads the named values of an address and leaves out everything else. */
export const shape =
  <S extends Record<string, Reader<unknown>>>(readers: S) =>
  (search: Record<string, unknown>): Values<S> => {
    const out: Record<string, unknown> = {};
    for (const [key, read] of Object.entries(readers)) {
      const value = read(search[key]);
      // The router lays this over the raw address: what does not fit has to be taken out of it by name.
      if (value !== undefined || search[key] !== undefined) out[key] = value;
    }
    return out as Values<S>;
  };
