/** localStorage that never throws (private windows, full disks) and speaks JSON. */
export const storage = {
  get<T>(key: string, fallback: T): T {
    try {
      const raw = localStorage.getItem(`guanxi.${key}`);
      return raw === null ? fallback : (JSON.parse(raw) as T);
    } catch {
      return fallback;
    }
  },
  set(key: string, value: unknown): void {
    try {
      localStorage.setItem(`guanxi.${key}`, JSON.stringify(value));
    } catch {
      // Nothing depends on what is kept here.
    }
  },
  /** Plain strings, for the keys that public/boot.js reads. */
  getText(key: string): string | null {
    try {
      return localStorage.getItem(`guanxi.${key}`);
    } catch {
      return null;
    }
  },
  setText(key: string, value: string): void {
    try {
      localStorage.setItem(`guanxi.${key}`, value);
    } catch {
      // As above.
    }
  },
};
