import type { Settings } from './types';

const ID = 'gx_id';
const USER = 'gx_user';
const CONSENT = 'gx_consent';
const OUT = 'gx_out';
const YEAR = 31536000;

/** Storage that a browser may refuse, and then has nothing. */
export const store = {
  get(name: string): string | null {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  },
  /** Null removes. */
  set(name: string, value: string | null): void {
    try {
      if (value === null) localStorage.removeItem(name);
      else localStorage.setItem(name, value);
    } catch {
      // Private windows and full disks: the value lives as long as the page.
    }
  },
  names(): string[] {
    try {
      return Object.keys(localStorage);
    } catch {
      return [];
    }
  },
};

/** 128 random bits in the form of a UUID; pages without encryption have no randomUUID. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/**
 * Who the visitor is. Until they agree nothing is kept in the browser and there is no id: the server makes one for the day, of
 * what it does not keep. With consent the id is first-party, in localStorage and, where a domain is named, in a cookie.
 */
export class Visitor {
  /** "" while there is none. */
  id = '';
  user = '';
  /** What was agreed to, by category; null while nobody was asked. A refusal is for the page: the site says it again. */
  consent: Record<string, boolean> | null = null;
  out = store.get(OUT) !== null;

  constructor(private settings: Settings) {
    const said = store.get(CONSENT);
    if (said === null) return;
    try {
      this.consent = JSON.parse(said) as Record<string, boolean>;
    } catch {
      store.set(CONSENT, null);
    }
    if (!this.agreed) return;
    this.id = store.get(ID) ?? this.cookie() ?? '';
    this.user = store.get(USER) ?? '';
    this.keep();
  }

  get agreed(): boolean {
    return this.consent?.analytics === true;
  }

  private cookie(): string | undefined {
    return document.cookie.match(/(?:^|; )gx_id=([\w-]+)/)?.[1];
  }

  private bake(value: string, age: number): void {
    const { domain } = this.settings;
    if (domain === '') return;
    const secure = location.protocol === 'https:' ? ';secure' : '';
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store is not in every browser
    document.cookie = `${ID}=${value};path=/;domain=${domain};max-age=${age};samesite=lax${secure}`;
  }

  private keep(): void {
    if (!this.agreed) return;
    if (this.id === '') this.id = randomId();
    store.set(ID, this.id);
    store.set(USER, this.user || null);
    this.bake(this.id, YEAR);
  }

  /** Nothing of the visitor stays in the browser. */
  private forget(): void {
    this.id = '';
    for (const name of store.names()) if (name.startsWith('gx_') && name !== OUT) store.set(name, null);
    this.bake('', 0);
  }

  agree(to: boolean | Record<string, boolean>): void {
    this.consent = typeof to === 'object' ? to : { analytics: to };
    if (!this.agreed) {
      this.forget();
      return;
    }
    store.set(CONSENT, JSON.stringify(this.consent));
    this.keep();
  }

  identify(user: string): void {
    this.user = user;
    this.keep();
  }

  /** Somebody else sits here from now on. */
  reset(): void {
    this.user = '';
    this.id = '';
    this.keep();
  }

  leave(out: boolean): void {
    this.out = out;
    store.set(OUT, out ? '1' : null);
    if (out) this.forget();
    else this.keep();
  }
}
