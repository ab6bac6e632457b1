import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { openWorkQuery, type RecordData, type Ref } from '@/api';
import { useTranslation } from '@/i18n';
import { findObject, useObjects } from '@/metadata';
import css from './open-work.module.css';

const ActivityRow = lazy(() => import('./activity-row').then((module) => ({ default: module.ActivityRow })));

/** What is still to be done about a record; nothing at all where there is nothing. */
export function OpenWork({ record, onOpenRef }: { record: RecordData; onOpenRef: (ref: Ref) => void }) {
  const { t } = useTranslation('work');
  const objects = useObjects();
  const { data } = useQuery(openWorkQuery(record.object, record.id));
  if (data === undefined || data.items.length === 0) return null;
  return (
    <section className={css.open} aria-label={t('work:open')}>
      <h3 className={css.head}>
        {t('work:open')} <span className={css.count}>{data.items.length}</span>
      </h3>
      <ul className={css.list}>
        <Suspense>
          {data.items.map((item) => (
            <ActivityRow
              key={item.record.id}
              record={item.record}
              onOpen={onOpenRef}
              editable={findObject(objects, item.record.object)?.actions.update === true}
              bare
            />
          ))}
        </Suspense>
      </ul>
    </section>
  );
}
