import type { Message, Settings } from './types';
import { randomId, store, type Visitor } from './visitor';

/** Browsers carry at most 64 kB of what is sent while a page closes; the door takes 32 kB an event. */
const BATCH_BYTES = 56_000;
const BATCH = 50;
/** The oldest give way: what could not be sent all day is not worth the memory of a page. */
const KEPT = 500;
const WAIT = 300;
const QUEUE = 'gx_q_';

/**
 * Hands messages to the door: a few at a time, again after failures with the same ids, which the door knows, so that nothing
 * counts twice. With consent what waits also stands in localStorage, and another page sends it should this one close first.
 */
export class Transport {
  private waiting: Message[] = [];
  /** Of those the ones on their way. */
  private flying: Message[] = [];
  private timer = 0;
  private failures = 0;
  private place = QUEUE + randomId();

  constructor(
    private settings: Settings,
    private visitor: Visitor,
    /** What all messages share. */
    private context: Record<string, unknown>,
  ) {
    addEventListener('online', () => this.soon(0));
    if (visitor.agreed) this.adopt();
  }

  push(message: Message): void {
    this.waiting.push(message);
    this.waiting.splice(0, this.waiting.length - KEPT);
    this.save();
    if (this.failures === 0) this.soon(this.waiting.length < BATCH ? WAIT : 0);
  }

  /** What pages that are gone left behind. One that is open loses nothing by it: the ids are the same. */
  adopt(): void {
    for (const name of store.names()) {
      if (!name.startsWith(QUEUE) || name === this.place) continue;
      try {
        const left = JSON.parse(store.get(name) ?? '[]') as Message[];
        const known = new Set(this.waiting.map((message) => message.messageId));
        this.waiting.unshift(...left.filter((message) => !known.has(message.messageId)));
      } catch {
        // Half a line, of a full disk.
      }
      store.set(name, null);
    }
    this.save();
    if (this.waiting.length > 0) this.soon(WAIT);
  }

  drop(): void {
    this.waiting = [];
    this.save();
  }

  private save(): void {
    if (this.visitor.agreed || this.waiting.length === 0)
      store.set(this.place, this.waiting.length > 0 && this.visitor.agreed ? JSON.stringify(this.waiting) : null);
  }

  private soon(after: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.send(), after);
  }

  /** The first messages that fit into one request, and its text. */
  private batch(): [Message[], string] {
    const taken: Message[] = [];
    let bytes = 0;
    for (const message of this.waiting.filter((each) => !this.flying.includes(each)).slice(0, BATCH)) {
      bytes += JSON.stringify(message).length * 1.2;
      if (bytes > BATCH_BYTES && taken.length > 0) break;
      taken.push(message);
    }
    const body = {
      writeKey: this.settings.key,
      sentAt: new Date().toISOString(),
      context: this.context,
      batch: taken,
    };
    return [taken, JSON.stringify(body)];
  }

  private done(sent: Message[]): void {
    this.waiting = this.waiting.filter((message) => !sent.includes(message));
    this.save();
  }

  async send(): Promise<void> {
    if (this.flying.length > 0 || this.waiting.length === 0) return;
    const [taken, body] = this.batch();
    this.flying = taken;
    let rest = 0;
    try {
      // Plain text needs no question beforehand; the key stands in the body.
      const answer = await fetch(`${this.settings.host}/v1/batch`, {
        method: 'POST',
        body,
        keepalive: true,
        credentials: 'omit',
        headers: { 'Content-Type': 'text/plain' },
      });
      if (answer.status === 429 || answer.status >= 500) rest = Number(answer.headers.get('Retry-After')) * 1000 || 1;
      else this.done(taken);
    } catch {
      rest = 1;
    }
    this.flying = [];
    this.failures = rest > 0 ? this.failures + 1 : 0;
    if (this.waiting.length === 0) return;
    const backoff = Math.min(60_000, 500 * 2 ** this.failures) * (0.5 + Math.random() / 2);
    this.soon(rest > 0 ? Math.max(rest, backoff) : 0);
  }

  /** The page may be gone the next moment: what is not on its way goes as a beacon. */
  last(): void {
    if (navigator.onLine === false) return;
    while (this.waiting.length > this.flying.length) {
      const [taken, body] = this.batch();
      if (!navigator.sendBeacon?.(`${this.settings.host}/v1/batch`, body)) return;
      this.done(taken);
    }
  }
}
