/**
 * Pop-ups and banners, which the tracker loads from /m.js where a site has any. They are drawn in a shadow of their own, so that neither the site's styles
 * nor theirs reach the other. How often one was seen is kept in the browser of whoever agreed to that; all others see a message on the first page of a visit.
 */
import { card, type OnsiteItem, STYLE } from '../src/lib/onsite-card';
import { store } from './visitor';

export interface OnsitePort {
  track: (name: string, properties: Record<string, unknown>) => void;
  agreed: () => boolean;
}
/** Looks whether a page has something to show; the one before is taken away. */
export type Look = (path: string) => void;
declare global {
  interface Window {
    guanxiMessages?: (items: OnsiteItem[], port: OnsitePort) => Look;
  }
}

const SEEN = 'gx_seen';
const matches = (pattern: string, path: string): boolean =>
  new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(path);

interface Kept {
  day: string;
  today: number;
  all: number;
}
const kept = (): Record<string, Kept> => {
  try {
    return JSON.parse(store.get(SEEN) ?? '{}') as Record<string, Kept>;
  } catch {
    return {};
  }
};
const today = (): string => new Date().toLocaleDateString('en-CA');

/** The first page of a visit: nobody came here from the site itself. */
const first = (): boolean => {
  try {
    return new URL(document.referrer).host !== location.host;
  } catch {
    return true;
  }
};

function start(items: OnsiteItem[], port: OnsitePort): Look {
  /** What was shown on this load: once is enough. */
  const shown = new Set<string>();
  let stop = (): void => undefined;
  const landed = first();

  function may(item: OnsiteItem): boolean {
    if (shown.has(item.id)) return false;
    if (!port.agreed()) return landed;
    const seen = kept()[item.id];
    if (seen === undefined) return true;
    if (item.total !== undefined && seen.all >= item.total) return false;
    return item.per_day === undefined || seen.day !== today() || seen.today < item.per_day;
  }
  function note(item: OnsiteItem): void {
    shown.add(item.id);
    if (!port.agreed()) return;
    const all = kept();
    const was = all[item.id];
    const same = was?.day === today();
    all[item.id] = { day: today(), today: (same ? was.today : 0) + 1, all: (was?.all ?? 0) + 1 };
    store.set(SEEN, JSON.stringify(all));
  }

  function draw(item: OnsiteItem): () => void {
    const place = document.createElement('div');
    const root = place.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    const about = { promotion_id: item.id, name: item.name, creative: item.kind };
    const modal = item.kind === 'popup';
    const before = document.activeElement;
    const away = () => {
      removeEventListener('keydown', key, true);
      place.remove();
      if (modal && before instanceof HTMLElement) before.focus();
    };
    const dismiss = () => {
      port.track('Promotion Dismissed', about);
      away();
    };
    const key = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && modal) dismiss();
      if (event.key !== 'Tab' || !modal) return;
      const stops = [...root.querySelectorAll<HTMLElement>('a,button')];
      const at = stops.indexOf(root.activeElement as HTMLElement);
      event.preventDefault();
      stops[(at + (event.shiftKey ? stops.length - 1 : 1)) % stops.length]?.focus();
    };
    const { whole, close } = card(item, dismiss, () => {
      port.track('Promotion Clicked', about);
      setTimeout(away); // a link that is taken out of the page at once leads nowhere
    });
    root.append(whole);
    document.body.append(place);
    addEventListener('keydown', key, true);
    if (modal) close.focus();
    port.track('Promotion Viewed', about);
    return away;
  }

  function wait(item: OnsiteItem, then: () => void): () => void {
    if (item.on === 'load') {
      const timer = setTimeout(then, item.after * 1000);
      return () => clearTimeout(timer);
    }
    const [name, done]: [string, (event: Event) => boolean] =
      item.on === 'scroll'
        ? ['scroll', () => ((scrollY + innerHeight) / document.documentElement.scrollHeight) * 100 >= item.after]
        : ['mouseout', (event) => (event as MouseEvent).relatedTarget === null && (event as MouseEvent).clientY <= 0];
    const listen = (event: Event): void => {
      if (done(event)) {
        removeEventListener(name, listen, true);
        then();
      }
    };
    addEventListener(name, listen, true);
    return () => removeEventListener(name, listen, true);
  }

  return (path) => {
    stop();
    const waits: (() => void)[] = [];
    let drawn = false;
    stop = () => {
      for (const end of waits) end();
    };
    for (const item of items) {
      if (!may(item) || (item.paths && !item.paths.some((pattern) => matches(pattern, path)))) continue;
      waits.push(
        wait(item, () => {
          if (drawn || !may(item)) return; // one at a time
          drawn = true;
          note(item);
          waits.push(draw(item));
        }),
      );
    }
  };
}

window.guanxiMessages = start;
