import type { Recommendations, RecommendedProduct, Ref } from '@/api';
import { useTranslation } from '@/i18n';
import { EmptyState } from '@/ui';
import css from './recommend.module.css';

/** Products with the reasons why they are shown, the best first. */
export function ProductList({
  data,
  label,
  onOpen,
}: {
  data: Recommendations;
  label: string;
  onOpen: (ref: Ref) => void;
}) {
  const { t } = useTranslation('recommend');
  if (data.items.length === 0)
    return (
      <EmptyState
        compact
        cause="none"
        title={t(data.version === 0 ? 'recommend:list.untaught' : 'recommend:list.empty')}
        text={t(data.version === 0 ? 'recommend:list.untaughtText' : `recommend:list.emptyText.${data.kind}`)}
      />
    );
  return (
    <ol className={css.list} aria-label={label}>
      {data.items.map((item) => (
        <Item key={item.product.id} item={item} onOpen={onOpen} />
      ))}
    </ol>
  );
}

function Item({ item, onOpen }: { item: RecommendedProduct; onOpen: (ref: Ref) => void }) {
  return (
    <li className={css.item}>
      <div className={css.named}>
        <button type="button" className={css.title} onClick={() => onOpen(item.product)}>
          {item.product.title}
        </button>
        <span className={css.quiet}>{[item.brand, item.category].filter(Boolean).join(' \u00b7 ')}</span>
      </div>
      <p className={css.why}>{item.reasons.map((reason) => reason.text).join(' \u00b7 ')}</p>
    </li>
  );
}
