import type { ApiDocument, ApiOperation, ApiParameter, ApiSchema } from '@/api';

const BASE = '/api/v1';
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
/** Only the command line on the machine itself may call these. */
const LOCAL = 'local';
const JSON_TYPE = 'application/json';

export interface Operation {
  id: string;
  method: string;
  path: string;
  summary: string;
  description: string;
  parameters: readonly ApiParameter[];
  /** Undefined where nothing is sent. */
  body: { type: string; schema: ApiSchema } | undefined;
  answer: { status: string; type: string; schema: ApiSchema | undefined } | undefined;
}

export interface OperationGroup {
  /** The first part of the path, or "records.customer" for one object. */
  key: string;
  operations: Operation[];
}

function bodyOf(operation: ApiOperation): Operation['body'] {
  const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  return type === undefined || media?.schema === undefined ? undefined : { type, schema: media.schema };
}

function answerOf(operation: ApiOperation): Operation['answer'] {
  const [status, response] = Object.entries(operation.responses).find(([each]) => each.startsWith('2')) ?? [];
  if (status === undefined || response === undefined) return undefined;
  const [type, media] = Object.entries(response.content ?? {})[0] ?? ['', undefined];
  return { status, type, schema: media?.schema };
}

/** The operations by group: those of objects first, in the order given, then the rest by name; those that fit a search. */
export function groupsOf(document: ApiDocument, search: string, objects: readonly string[] = []): OperationGroup[] {
  const wanted = search.trim().toLowerCase();
  const groups = new Map<string, Operation[]>();
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = methods[method];
      const tag = operation?.tags[0] ?? '';
      if (operation === undefined || tag === LOCAL) continue;
      const words = `${method} ${BASE}${path} ${operation.summary} ${operation.operationId}`.toLowerCase();
      if (!words.includes(wanted)) continue;
      const all = groups.get(tag) ?? [];
      groups.set(tag, all);
      all.push({
        id: operation.operationId,
        method: method.toUpperCase(),
        path: BASE + path,
        summary: operation.summary,
        description: operation.description ?? '',
        parameters: operation.parameters ?? [],
        body: bodyOf(operation),
        answer: answerOf(operation),
      });
    }
  }
  const order = ['records.', 'records'];
  const rank = (key: string) =>
    (order.findIndex((start) => key.startsWith(start)) + order.length + 1) % (order.length + 1);
  const place = (key: string) => objects.indexOf(key.slice('records.'.length));
  return [...groups]
    .map(([key, operations]) => ({ key, operations }))
    .sort(
      (left, right) =>
        rank(left.key) - rank(right.key) || place(left.key) - place(right.key) || left.key.localeCompare(right.key),
    );
}

/** Follows a reference; what it names when it is known. */
export function resolve(document: ApiDocument, schema: ApiSchema): { schema: ApiSchema; name: string | undefined } {
  if (schema.$ref === undefined) return { schema, name: undefined };
  const name = schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1);
  return { schema: document.components.schemas[name] ?? {}, name };
}

/** "string (date)", "array of Order", "object". */
export function typeOf(document: ApiDocument, given: ApiSchema): string {
  const { schema, name } = resolve(document, given);
  if (name !== undefined) return name;
  const kinds = (Array.isArray(schema.type) ? schema.type : [schema.type ?? 'any']).filter((kind) => kind !== 'null');
  const kind = kinds.join(' | ');
  if (kind === 'array' && schema.items !== undefined) return `${typeOf(document, schema.items)}[]`;
  return schema.format === undefined ? kind : `${kind} (${schema.format})`;
}

/** The schema whose members are worth a look: of the items where it is a list. */
export function membersOf(document: ApiDocument, given: ApiSchema): [string, ApiSchema, boolean][] {
  let { schema } = resolve(document, given);
  if (schema.items !== undefined) schema = resolve(document, schema.items).schema;
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).map(([name, member]) => [name, member, required.has(name)]);
}

const EXAMPLES: Record<string, unknown> = {
  date: '2026-11-11',
  'date-time': '2026-11-11T10:00:00+08:00',
  email: 'wang@example.com',
  uri: 'https://example.com',
  decimal: '199.00',
  int64: 1,
};
const DEEPEST = 4;
/** Members that an example shows when none is needed. */
const SHOWN = 5;

/** A value of a schema that could be sent: what is needed, or else a few members. */
export function exampleOf(document: ApiDocument, given: ApiSchema, depth = 0): unknown {
  const { schema } = resolve(document, given);
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.format !== undefined && schema.format in EXAMPLES) return EXAMPLES[schema.format];
  const kind = Array.isArray(schema.type) ? schema.type.find((each) => each !== 'null') : schema.type;
  switch (kind) {
    case 'array':
      return schema.items === undefined || depth >= DEEPEST ? [] : [exampleOf(document, schema.items, depth + 1)];
    case 'object': {
      if (depth >= DEEPEST) return {};
      const writable = Object.entries(schema.properties ?? {}).filter(([, member]) => member.readOnly !== true);
      const needed = writable.filter(([name]) => schema.required?.includes(name));
      const chosen = needed.length > 0 ? needed : writable.slice(0, SHOWN);
      return Object.fromEntries(chosen.map(([name, member]) => [name, exampleOf(document, member, depth + 1)]));
    }
    case 'integer':
    case 'number':
      return 1;
    case 'boolean':
      return true;
    case 'string':
      return '\u2026';
    default:
      return null;
  }
}

const quoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** A command that calls the operation, with "gxk_…" where the key goes. */
export function curlOf(document: ApiDocument, operation: Operation, origin: string): string {
  const lines = [
    `curl${operation.method === 'GET' ? '' : ` -X ${operation.method}`} ${quoted(origin + operation.path)}`,
    `-H ${quoted('Authorization: Bearer gxk_\u2026')}`,
  ];
  if (operation.parameters.some((parameter) => parameter.in === 'header' && parameter.name === 'If-Match'))
    lines.push(`-H ${quoted('If-Match: "1"')}`);
  if (operation.body?.type === JSON_TYPE) {
    lines.push(`-H ${quoted(`Content-Type: ${JSON_TYPE}`)}`);
    lines.push(`-d ${quoted(JSON.stringify(exampleOf(document, operation.body.schema)))}`);
  } else if (operation.body !== undefined) {
    for (const [name, member] of membersOf(document, operation.body.schema))
      lines.push(`-F ${quoted(`${name}=${member.format === 'binary' ? '@file.csv' : '\u2026'}`)}`);
  }
  return lines.join(' \\\n  ');
}
