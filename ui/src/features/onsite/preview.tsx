import { useEffect, useRef } from 'react';
import type { OnsitePlan, OnsiteWords } from '@/api';
import { useTranslation } from '@/i18n';
import { card, STYLE } from '@/lib/onsite-card';
import css from './onsite.module.css';

/** Within the frame instead of the whole window; pictures of other sites are not fetched here. */
const WITHIN = '.veil,.bar{position:absolute}.box{max-height:calc(100% - 16px)}';

/** A message as a site shows it, drawn by what draws it there. */
export function Preview({ plan, words }: { plan: OnsitePlan; words: OnsiteWords }) {
  const { t } = useTranslation(['onsite', 'common']);
  const frame = useRef<HTMLDivElement>(null);
  const close = t('common:close');
  useEffect(() => {
    const place = frame.current;
    if (place === null) return;
    const root = place.shadowRoot ?? place.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE + WITHIN);
    root.adoptedStyleSheets = [sheet];
    const still = () => undefined;
    const { image: _, ...shown } = words;
    const { whole } = card({ ...shown, id: '', name: '', kind: plan.kind, close, on: plan.on, after: 0 }, still, still);
    for (const link of whole.querySelectorAll('a')) link.removeAttribute('href');
    for (const stop of whole.querySelectorAll<HTMLElement>('a,button')) stop.tabIndex = -1;
    for (const modal of [whole, ...whole.querySelectorAll('[aria-modal]')]) modal.removeAttribute('aria-modal');
    root.replaceChildren(whole);
  }, [plan.kind, plan.on, words, close]);
  return (
    <figure className={css.frame}>
      <div>
        <div ref={frame} />
      </div>
      <figcaption className="muted">{words.image !== '' && t('onsite:noPicture')}</figcaption>
    </figure>
  );
}
