import { clean } from './page';
import type { Properties, Settings } from './types';

const FILES = /\.(pdf|zip|rar|7z|gz|dmg|exe|msi|apk|ipa|docx?|xlsx?|pptx?|csv|txt|mp[34]|mov|avi|wmv|psd|ai|epub)$/i;
const FIGURES = /(price|quantity|value|revenue|total|position|discount|shipping|tax)$/;

type Track = (name: string, properties: Properties) => void;

const closest = <E extends Element>(event: Event, selector: string): E | null => {
  const at = event.composedPath()[0];
  return at instanceof Element && at.closest('[data-gx-ignore]') === null ? at.closest<E>(selector) : null;
};

/** `data-gx-product-id="7"` is the property product_id. */
function attributes(element: HTMLElement): Properties {
  const found: Properties = {};
  for (const { name, value } of element.attributes) {
    const key = name.match(/^data-gx-(?!event$|ignore$)(.+)$/)?.[1]?.replaceAll('-', '_');
    if (key !== undefined) found[key] = FIGURES.test(key) && value !== '' && !Number.isNaN(+value) ? +value : value;
  }
  return found;
}

/** Clicks that lead away, downloads, forms that are sent, and what the page itself marks with `data-gx-event`. */
export function notice(settings: Settings, track: Track): void {
  const { auto } = settings;
  const marked = (event: Event, selector: string): void => {
    const element = auto('marks') ? closest<HTMLElement>(event, selector) : null;
    if (element?.dataset.gxEvent) track(element.dataset.gxEvent, attributes(element));
  };
  const click = (event: MouseEvent): void => {
    if (event.button > 1) return;
    marked(event, '[data-gx-event]:not(form)');
    const link = closest<HTMLAnchorElement>(event, 'a[href]');
    if (link === null || !/^https?:$/.test(link.protocol)) return;
    const url = clean(link.href, settings);
    const file = link.pathname.match(FILES)?.[1];
    if (file !== undefined && auto('files'))
      track('File Downloaded', { url, name: link.pathname.split('/').pop(), extension: file.toLowerCase() });
    else if (link.hostname !== location.hostname && auto('links'))
      track('Outbound Link Clicked', { url, host: link.hostname });
  };
  addEventListener('click', click, true);
  addEventListener('auxclick', click, true);
  const submit = (event: Event): void => {
    marked(event, 'form[data-gx-event]');
    const form = auto('forms') ? closest<HTMLFormElement>(event, 'form') : null;
    if (form === null) return;
    // Names alone: what somebody wrote is between them and the site.
    const fields = [...form.elements]
      .filter((field) => !/^(hidden|password|submit|button)$/.test((field as HTMLInputElement).type))
      .map((field) => (field as HTMLInputElement).name)
      .filter((name) => name);
    track('Form Submitted', {
      form_id: form.getAttribute('id') ?? '',
      form_name: form.getAttribute('name') ?? '',
      action: clean(form.getAttribute('action') ?? location.href, settings),
      fields: [...new Set(fields)],
    });
  };
  addEventListener('submit', submit, true);
}
