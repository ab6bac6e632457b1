import type { QueryClient } from '@tanstack/react-query';
import { switchStream } from './events';

/** News of one customer are shown at once; a burst is answered once. */
const SOON = 120;
/** How often the customer on screen is asked for while there is no stream. */
const POLL = 15_000;
/** EventSource.OPEN */
const OPEN = 1;

/** Has the server tell of everything that happens to the customer on screen, also of what points at the customer. Returns the function that stops it. */
export function watchCustomer(client: QueryClient, id: string): () => void {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let source: EventSource | undefined;
  const refresh = () => {
    timer = null;
    for (const queryKey of [
      ['customers', id, 'profile'],
      ['customers', id, 'behaviour'],
      ['records', 'customer', 'one', id, 'timeline'],
    ])
      client.invalidateQueries({ queryKey });
  };
  const soon = () => {
    timer ??= setTimeout(refresh, SOON);
  };
  // A page that nobody sees watches nobody; what happened meanwhile is asked for when it is seen again.
  const connect = () => {
    source = switchStream(document.hidden ? '' : `?customer=${id}`);
    source?.addEventListener('message', (message) => {
      if (String(message.data).includes('"kind":"profile"')) soon();
    });
  };
  const onSight = () => {
    connect();
    if (!document.hidden) soon();
  };
  connect();
  document.addEventListener('visibilitychange', onSight);
  const poll = setInterval(() => {
    if (source === undefined) connect();
    if (!document.hidden && source?.readyState !== OPEN) soon();
  }, POLL);
  return () => {
    if (timer !== null) clearTimeout(timer);
    clearInterval(poll);
    document.removeEventListener('visibilitychange', onSight);
    switchStream('');
  };
}
