import type { QueryClient } from '@tanstack/react-query';
import { API } from './client';
import { isActivity } from './work';

interface ServerEvent {
  kind:
    | 'record'
    | 'import'
    | 'segment'
    | 'mirror'
    | 'classification'
    | 'demo'
    | 'metadata'
    | 'rights'
    | 'job'
    | 'duplicates'
    | 'talk'
    | 'privacy'
    | 'notification'
    | 'approval'
    | 'stages'
    | 'identity'
    | 'traits'
    | 'profile';
  object?: string;
  id?: string;
}

const SETTLE = 800;
const SOON = 120;

/** What an event makes stale. A list is refreshed only while somebody looks at it (TanStack's default). */
function keysOf(event: ServerEvent): unknown[][] {
  switch (event.kind) {
    case 'record':
      return [
        ...(event.object !== undefined && isActivity(event.object) ? [['work']] : []),
        ['records', event.object, 'list'],
        ['records', event.object, 'count'],
        ['records', event.object, 'infinite'],
        ['records', event.object, 'one', event.id],
        ['customers', event.id, 'profile'],
      ];
    case 'profile':
      return profileKeys(event.id);
    case 'talk':
      return [event.id ? ['records', event.object, 'one', event.id, 'timeline'] : ['records', event.object, 'one']];
    case 'notification':
      return [['notifications']];
    case 'approval':
      return [['approvals'], ...(event.id ? [['records', event.object, 'one', event.id]] : [])];
    case 'stages':
      return [['stages']];
    case 'identity':
      return [['identities']];
    case 'import':
      return [['imports']];
    case 'traits':
      return [['traits']];
    case 'segment':
      return [['segments']];
    case 'classification':
      return [['classifications']];
    case 'privacy':
      return [['privacy']];
    case 'duplicates':
      return [['duplicates', event.object, 'groups']];
    case 'demo':
      return [['demo']];
    case 'job':
      return [['jobs']];
    case 'rights':
      return [['session'], ['objects'], ['org'], ['roles'], ['records'], ['customers'], ['segments'], ['views']];
    case 'metadata':
      return [['objects'], ['views'], ['records']];
    case 'mirror':
      return [['home'], ['cohorts'], ['rfm'], ['traits', 'passes'], ['system']];
  }
}

/** What the page of a customer shows, also of what points at the customer. */
const profileKeys = (id = ''): unknown[][] => [
  ['customers', id, 'profile'],
  ['customers', id, 'behaviour'],
  ['records', 'customer', 'one', id, 'timeline'],
];

let watched = '';
let reconnect: (() => void) | null = null;

/** Has the server tell of everything that happens to the customer on screen. Returns the function that stops it. */
export function watchCustomer(id: string): () => void {
  watched = id;
  reconnect?.();
  return () => {
    watched = '';
    reconnect?.();
  };
}

/** How often the customer on screen is asked for while there is no stream. */
const POLL = 15_000;

/** Listens to the server and refreshes what changed; bursts are answered once. Returns the function that stops it. */
export function listenForChanges(client: QueryClient): () => void {
  if (typeof EventSource === 'undefined') return () => undefined;
  const waiting = new Map<string, unknown[]>();
  let timer: ReturnType<typeof setTimeout> | null = null;
  const flush = () => {
    timer = null;
    for (const queryKey of waiting.values()) client.invalidateQueries({ queryKey });
    waiting.clear();
  };
  const note = (keys: unknown[][], settle: number) => {
    for (const key of keys) waiting.set(JSON.stringify(key), key);
    timer ??= setTimeout(flush, settle);
  };
  const connect = () => {
    const customer = document.hidden ? '' : watched;
    const next = new EventSource(`${API}/events${customer && `?customer=${customer}`}`);
    next.onmessage = (message) => {
      try {
        const event = JSON.parse(message.data as string) as ServerEvent;
        note(keysOf(event), event.kind === 'profile' ? SOON : SETTLE);
      } catch {
        // A line this version does not know.
      }
    };
    return next;
  };
  let source = connect();
  reconnect = () => {
    source.close();
    source = connect();
  };
  // A page that nobody sees watches nobody; what happened meanwhile is asked for when it is seen again.
  const onSight = () => {
    if (watched === '') return;
    reconnect?.();
    if (!document.hidden) note(profileKeys(watched), SOON);
  };
  document.addEventListener('visibilitychange', onSight);
  const poll = setInterval(() => {
    if (watched !== '' && !document.hidden && source.readyState !== EventSource.OPEN) note(profileKeys(watched), SOON);
  }, POLL);
  return () => {
    if (timer !== null) clearTimeout(timer);
    clearInterval(poll);
    document.removeEventListener('visibilitychange', onSight);
    reconnect = null;
    source.close();
  };
}
