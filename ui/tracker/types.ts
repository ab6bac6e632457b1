/** What stands in a call, in the words of the Segment specification. */
export type Properties = Record<string, unknown>;

export interface Page {
  url: string;
  path: string;
  search: string;
  title: string;
  referrer: string;
}

export interface Message extends Properties {
  type: 'track' | 'page' | 'identify' | 'group' | 'alias';
  messageId: string;
  timestamp: string;
  anonymousId: string;
  context: Properties;
}

/** What the script's own element says. */
export interface Settings {
  /** Where the program answers, without a slash at the end. */
  host: string;
  key: string;
  /** Names of the query string's parameters that a page's address keeps besides those of campaigns. */
  query: string[];
  /** `/a#b` and `/a#c` are two pages. */
  hash: boolean;
  /** What is noticed without a call; all of it unless `data-auto` names some of them, or `none`. */
  auto: (what: string) => boolean;
  /** The domain of the cookie that carries the id across subdomains, once there is consent; "" for none. */
  domain: string;
  /** A signal of the browser not to be followed is passed over. */
  ignoreSignals: boolean;
}
