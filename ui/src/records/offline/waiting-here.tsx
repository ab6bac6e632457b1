import { type Waiting, waitingStore } from '@/api';
import { useTranslation } from '@/i18n';
import { useStore } from '@/lib/store';
import css from './offline.module.css';
import { WaitingEntry } from './waiting-entry';

/** What was written here and waits for a connection. */
export function WaitingHere({ only }: { only: (item: Waiting) => boolean }) {
  const { t } = useTranslation('offline');
  const items = useStore(waitingStore).filter(only);
  if (items.length === 0) return null;
  return (
    <section className={css.here} aria-label={t('offline:here')}>
      <h3 className={css.heading}>
        {t('offline:here')} <span className="muted">{items.length}</span>
      </h3>
      <ul className={css.list}>
        {items.map((item) => (
          <WaitingEntry key={item.id} item={item} />
        ))}
      </ul>
    </section>
  );
}
