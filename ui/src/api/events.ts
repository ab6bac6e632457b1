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
    | 'campaign'
    | 'journey'
    | 'form'
    | 'model'
    | 'action'
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
    | 'traits';
  object?: string;
  id?: string;
}

const SETTLE = 800;

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
    case 'model':
      return event.id === 'action' ? [['models'], ['actions']] : [['models']];
    case 'action':
      return [['actions']];
    case 'form':
      return [['forms']];
    case 'journey':
      return [['journeys']];
    case 'campaign':
      return [['campaigns']];
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

let stream: ((query: string) => EventSource) | null = null;

/** Connects again, with a query, while somebody listens: there is one stream a tab. */
export const switchStream = (query: string): EventSource | undefined => stream?.(query);

/** Listens to the server and refreshes what changed; bursts are answered once. Returns the function that stops it. */
export function listenForChanges(client: QueryClient): () => void {
  if (typeof EventSource === 'undefined') return () => undefined;
  let source: EventSource | undefined;
  const waiting = new Map<string, unknown[]>();
  let timer: ReturnType<typeof setTimeout> | null = null;
  const flush = () => {
    timer = null;
    for (const queryKey of waiting.values()) client.invalidateQueries({ queryKey });
    waiting.clear();
  };
  stream = (query) => {
    source?.close();
    source = new EventSource(`${API}/events${query}`);
    source.onmessage = (message) => {
      try {
        for (const key of keysOf(JSON.parse(message.data as string) as ServerEvent))
          waiting.set(JSON.stringify(key), key);
        timer ??= setTimeout(flush, SETTLE);
      } catch {
        // A line this version does not know.
      }
    };
    return source;
  };
  stream('');
  return () => {
    if (timer !== null) clearTimeout(timer);
    stream = null;
    source?.close();
  };
}
