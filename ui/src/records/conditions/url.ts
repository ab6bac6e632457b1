import type { Condition } from '@/api';
import { decodeBase64Url, encodeBase64Url } from '@/lib/base64url';

/** A condition as it stands in addresses and in GET /records?where=. */
export const encodeCondition = (condition: Condition | null | undefined): string =>
  condition === null || condition === undefined ? '' : encodeBase64Url(JSON.stringify(condition));

/** Null for anything that is not a condition: a bad address shows the list without filter, never an error page. */
export function decodeCondition(text: string | null | undefined): Condition | null {
  if (!text) return null;
  const json = decodeBase64Url(text);
  if (json === null) return null;
  try {
    const value = JSON.parse(json) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Condition) : null;
  } catch {
    return null;
  }
}
