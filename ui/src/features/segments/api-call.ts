import type { Condition } from '@/api';

const quoted = (text: string): string => text.replaceAll("'", String.raw`'\''`);

/** The live count as a line for a terminal. */
export const countCall = (where: Condition, origin: string): string =>
  [
    `curl -X POST ${origin}/api/v1/segments/count`,
    "  -H 'Authorization: Bearer YOUR_API_KEY'",
    "  -H 'Content-Type: application/json'",
    `  -d '${quoted(JSON.stringify({ where }))}'`,
  ].join(' \\\n');
