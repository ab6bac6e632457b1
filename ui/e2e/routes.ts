import fs from 'node:fs';
import path from 'node:path';
import { bestCustomer, type Stop, someSegment } from './pages';
import type { Api } from './support';

/** Parents before their children. */
const sources = ['frame-route.ts', 'routes.ts', 'insight-routes.ts', 'settings-routes.ts'].map((name) =>
  path.resolve(import.meta.dirname, '../src/app', name),
);
const BLOCK =
  /(?:const (\w+) = )?createRoute\(\{\s*getParentRoute: \(\) => (\w+),\s*(?:\/\*[^*]*\*\/\s*)?(?:path|id): '([^']*)'/g;

/** Every address that the router knows, read from its table: "/o/$object/$id". */
export function patterns(): string[] {
  const text = sources.map((source) => fs.readFileSync(source, 'utf8')).join('\n');
  const bases = new Map<string, string>([['rootRoute', '']]);
  const found: string[] = [];
  for (const [, name, parent = '', own = ''] of text.matchAll(BLOCK)) {
    const base = bases.get(parent);
    if (base === undefined) throw new Error(`${parent} stands after its child in the tables of routes`);
    const whole = own.startsWith('/') || base === '' ? base + (own.startsWith('/') ? own : '') : `${base}/${own}`;
    if (name !== undefined) bases.set(name, whole.replace(/\/$/, ''));
    if (own.includes('/') || parent === 'settingsRoute') found.push(whole.replace(/(.)\/$/, '$1'));
  }
  return [...new Set(found)];
}

/** Pages outside of the frame have a test of their own; the kit is in no built program. */
const APART = new Set(['/sign-in', '/setup', '/dev/kit', '/settings']);

type Examples = (api: Api) => Promise<string[]>;
const firstId = async (api: Api, object: string): Promise<string> =>
  (await api.find(object, { limit: 1 }))[0]?.id ?? 'missing';
async function someImport(api: Api): Promise<string> {
  const { items } = await api.get<{ items: { id: string }[] }>('/imports');
  const known =
    items[0] ?? (await api.upload<{ id: string }>('/imports', { object: 'customer' }, '走查.csv', 'name\n甲\n'));
  return known.id;
}

/** An address for each page that needs a value in it. */
const EXAMPLES: Record<string, Examples> = {
  '/o/$object': async () => ['/o/customer', '/o/order', '/o/product', '/o/task', '/o/visit'],
  '/o/$object/$id': async (api) => {
    const customer = await bestCustomer(api);
    return [
      `/o/customer/${customer.id}`,
      `/o/customer/${customer.id}?tab=history`,
      `/o/order/${await firstId(api, 'order')}`,
      `/o/task/${await someTask(api)}`,
    ];
  },
  '/merge/$object': async (api) => {
    const two = await api.find('customer', { limit: 2 });
    return [`/merge/customer?ids=${two.map((each) => each.id).join(',')}`];
  },
  '/duplicates/$object': async () => ['/duplicates/customer'],
  '/segments/$key': async (api) => [`/segments/${await someSegment(api)}`],
  '/classifications/$key': async () => ['/classifications/lifecycle'],
  '/models/$key': async (api) => {
    const { items } = await api.get<{ items: { key: string }[] }>('/models');
    return items.map((model) => `/models/${model.key}`);
  },
  '/offers/$id': async () => ['/offers/new'],
  '/forms/$id': async () => ['/forms/new'],
  '/onsite/$id': async () => ['/onsite/new'],
  '/campaigns/$id': async () => ['/campaigns/new'],
  '/journeys/$id': async () => ['/journeys/new'],
  '/templates/$id': async () => ['/templates/new'],
  '/lifecycle/$stage': async () => ['/lifecycle/active'],
  '/imports/$id': async (api) => [`/imports/${await someImport(api)}`],
  '/settings/roles/$key': async () => ['/settings/roles/member', '/settings/roles/new?from=member'],
  '/settings/webhooks/$id': async (api) => [`/settings/webhooks/${await someWebhook(api)}`],
  '/settings/webhooks/$id/edit': async (api) => [`/settings/webhooks/${await someWebhook(api)}/edit`],
  '/settings/sources/$id': async (api) => [`/settings/sources/${await someSource(api)}`],
  '/settings/sources/$id/history': async (api) => [`/settings/sources/${await someSource(api)}/history`],
  '/settings/sources/$id/edit': async (api) => [`/settings/sources/${await someSource(api)}/edit`],
  '/settings/traits/$key': async () => ['/settings/traits/new'],
  '/settings/approvals/$id': async () => ['/settings/approvals/new'],
  '/settings/automations/$id': async () => ['/settings/automations/new'],
  '/stages/$object': async (api) => [`/stages/${await someStages(api)}`],
  '/settings/objects/$object': async () => ['/settings/objects/customer', '/settings/objects/task'],
};

/** A door of events; one is made where there is none. */
async function someSource(api: Api): Promise<string> {
  const { items } = await api.get<{ items: { id: string }[] }>('/event-sources');
  if (items[0] !== undefined) return items[0].id;
  const made = await api.post<{ source: { id: string } }>('/event-sources', { name: '走查', type: 'webhook' });
  return made.source.id;
}

/** An object whose records go through stages; one is made where there is none. */
async function someStages(api: Api): Promise<string> {
  const { items } = await api.get<{ items: { object: string }[] }>('/stages');
  if (items[0] !== undefined) return items[0].object;
  const both = (zh: string, en: string) => ({ 'zh-CN': zh, en });
  await api.post('/objects', { key: 'walked', label: both('走查', 'Walk'), plural: both('走查', 'Walks') });
  await api.post('/objects/walked/fields', {
    key: 'way',
    label: both('进度', 'Way'),
    type: 'choice',
    options: [
      { key: 'begun', label: both('开始', 'Begun') },
      { key: 'over', label: both('结束', 'Over') },
    ],
  });
  const stage = (key: string, kind: string, probability: number) => ({ key, kind, probability, days: 0 });
  const spec = { field: 'way', stages: [stage('begun', 'open', 10), stage('over', 'won', 100)] };
  await api.json('PATCH', '/stages/walked', { version: 0, spec });
  return 'walked';
}

async function someTask(api: Api): Promise<string> {
  const [known] = await api.find('task', { limit: 1 });
  return (known ?? (await api.create('task', { subject: '走查' }))).id;
}

async function someWebhook(api: Api): Promise<string> {
  const { items } = await api.get<{ items: { id: string }[] }>('/webhooks');
  const known = items[0];
  if (known !== undefined) return known.id;
  const made = await api.post<{ webhook: { id: string } }>('/webhooks', {
    name: '走查',
    url: 'https://hooks.example.com/guanxi',
    rules: [{ object: 'customer', kinds: ['created'] }],
  });
  return made.webhook.id;
}

/** For a page without an example: the first thing that the list of the same name knows. */
async function firstKnown(api: Api, pattern: string): Promise<string[]> {
  const list = pattern.replace(/^\/settings/, '').replace(/\/\$.*$/, '');
  const answer = await api.call('GET', list);
  if (!answer.ok()) return [];
  const { items = [] } = (await answer.json()) as { items?: { id?: string; key?: string }[] };
  const value = items[0]?.id ?? items[0]?.key;
  return value === undefined ? [] : [pattern.replace(/\$\w+/, value)];
}

async function addressesOf(api: Api, pattern: string): Promise<string[]> {
  if (!pattern.includes('$') && EXAMPLES[pattern] === undefined) return [pattern];
  return (await EXAMPLES[pattern]?.(api)) ?? (await firstKnown(api, pattern));
}

/** Pages that no test can open, because nobody said with which address. */
export async function unknownPages(api: Api): Promise<string[]> {
  const unknown: string[] = [];
  for (const pattern of patterns())
    if (!APART.has(pattern) && (await addressesOf(api, pattern)).length === 0)
      unknown.push(`${pattern}: add an example to e2e/routes.ts, so that its page is looked at`);
  return unknown;
}

/** Pages of links in mails, which open without the frame around them. */
const FRAMELESS = new Set(['/link', '/forgot', '/stop', '/p', '/p/confirm', '/sign-in/return']);

/** Every page of the program with an address that opens it; without those that have no frame, where only `framed` are wanted. */
export async function allPages(api: Api, framed = false): Promise<Stop[]> {
  const stops: Stop[] = [];
  for (const pattern of patterns()) {
    if (APART.has(pattern) || (framed && FRAMELESS.has(pattern))) continue;
    for (const address of await addressesOf(api, pattern)) stops.push({ name: address, path: address });
  }
  return stops;
}
