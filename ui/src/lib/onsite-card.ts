/** What a pop-up or a banner looks like: on sites, and where it is written. */
/** A message as the program tells it. */
export interface OnsiteItem {
  id: string;
  name: string;
  kind: 'popup' | 'banner';
  title: string;
  text?: string;
  button?: string;
  url?: string;
  image?: string;
  close: string;
  paths?: string[];
  on: 'load' | 'scroll' | 'leave';
  after: number;
  per_day?: number;
  total?: number;
}
export const STYLE = `:host{all:initial}*{box-sizing:border-box;font-family:-apple-system,BlinkMacSystemFont,'Segoe UI','PingFang SC','Microsoft YaHei',sans-serif}
.veil{position:fixed;inset:0;z-index:2147483000;display:flex;align-items:center;justify-content:center;padding:16px;background:rgba(0,0,0,.45)}
.box{position:relative;width:100%;max-width:420px;max-height:90vh;overflow:auto;padding:28px;border-radius:14px;background:#fff;color:#1f2328;box-shadow:0 12px 40px rgba(0,0,0,.25)}
.bar{position:fixed;inset:auto 0 0;z-index:2147483000;display:flex;flex-wrap:wrap;gap:8px 20px;align-items:center;padding:14px 56px 14px 20px;background:#fff;color:#1f2328;box-shadow:0 -4px 24px rgba(0,0,0,.16)}
img{display:block;width:100%;height:auto;border-radius:10px;margin:0 0 16px}.bar img{width:56px;margin:0}
h2{margin:0;font-size:20px;line-height:28px;font-weight:600}.bar h2{font-size:16px;line-height:24px}
p{margin:8px 0 0;font-size:15px;line-height:23px;white-space:pre-line}.bar div{flex:1 1 240px}.bar p{margin:0;font-size:14px}
a{display:inline-block;margin-top:18px;padding:12px 22px;border-radius:9px;background:#0b6b5c;color:#fff;font-size:15px;font-weight:600;text-decoration:none}.bar a{margin:0}
button{position:absolute;top:6px;right:6px;width:44px;height:44px;border:0;border-radius:50%;background:none;color:inherit;font-size:22px;line-height:1;cursor:pointer}
a:focus-visible,button:focus-visible{outline:2px solid #0b6b5c;outline-offset:2px}
@media (prefers-color-scheme:dark){.box,.bar{background:#1c2128;color:#e6edf3}a{background:#2f9e87;color:#04110e}}`;

/** The element of a message, with its button for closing. */
export function card(item: OnsiteItem, dismiss: () => void, click: () => void) {
  const make = <T extends keyof HTMLElementTagNameMap>(tag: T, text?: string): HTMLElementTagNameMap[T] => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const modal = item.kind === 'popup';
  const box = make('section');
  box.className = modal ? 'box' : 'bar';
  box.setAttribute('role', modal ? 'dialog' : 'region');
  box.setAttribute('aria-label', item.title);
  if (modal) box.setAttribute('aria-modal', 'true');
  if (item.image) {
    const image = make('img');
    image.src = item.image;
    image.alt = '';
    image.onerror = () => image.remove();
    box.append(image);
  }
  const words = make('div');
  words.append(make('h2', item.title));
  if (item.text) words.append(make('p', item.text));
  box.append(words);
  if (item.url && item.button) {
    const link = make('a', item.button);
    link.href = item.url;
    link.onclick = click;
    box.append(link);
  }
  const close = make('button', '\u00d7');
  close.type = 'button';
  close.setAttribute('aria-label', item.close);
  close.onclick = dismiss;
  box.append(close);
  if (!modal) return { whole: box, close };
  const veil = make('div');
  veil.className = 'veil';
  veil.onclick = (event) => {
    if (event.target === veil) dismiss(); // nothing is answered: false would keep links from leading anywhere
  };
  veil.append(box);
  return { whole: veil, close };
}
