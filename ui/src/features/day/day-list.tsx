import { useQuery } from '@tanstack/react-query';
import { type AgendaItem, dayQuery, type User } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { findObject, useObjects } from '@/metadata';
import { WaitingPlace } from '@/records/offline/lazy-waiting';
import { ActivityRow } from '@/records/work/activity-row';
import row from '@/records/work/activity-row.module.css';
import { usePeek } from '@/shell';
import { EmptyState, ErrorState, SkeletonRows } from '@/ui';
import css from './day.module.css';
import { QuickAddBar } from './quick-add-bar';

interface GroupProps {
  name: string;
  items: readonly AgendaItem[];
  total?: number;
  tone?: 'late' | 'quiet';
}

function Group({ name, items, total, tone }: GroupProps) {
  const objects = useObjects();
  const { open } = usePeek();
  if (items.length === 0) return null;
  return (
    <section className={css.group} data-tone={tone} aria-label={name}>
      <h2 className={css.heading}>
        {name} <span className={css.count}>{total ?? items.length}</span>
      </h2>
      <ul className={row.list}>
        {items.map((item) => (
          <ActivityRow
            key={item.record.id}
            record={item.record}
            editable={findObject(objects, item.record.object)?.actions.update === true}
            onOpen={(ref) => open({ object: ref.object, id: ref.id })}
          />
        ))}
      </ul>
    </section>
  );
}

/** The day by urgency: what is late, what is due, what comes, what has no time, what is done. */
export function DayList({ user }: { user: User }) {
  const { t } = useTranslation(['work', 'mine']);
  const fmt = useFormat();
  const { data, error, isPending, refetch } = useQuery(dayQuery());
  if (isPending) return <SkeletonRows rows={8} />;
  if (data === undefined) return <ErrorState error={error} onRetry={() => refetch()} />;
  const nothing =
    data.overdue.length + data.due.length + data.upcoming.length + data.undated.length + data.done.length === 0;
  return (
    <div className={css.list}>
      <p className={css.today}>{t('mine:day.hello', { name: user.name, day: fmt.date(data.today) })}</p>
      <QuickAddBar today={data.today} />
      <WaitingPlace only={(item) => item.kind === 'create' || item.state !== 'waiting'} />
      {nothing && <EmptyState cause="none" title={t('mine:day.empty')} text={t('mine:day.emptyText')} />}
      <Group name={t('mine:day.overdue')} items={data.overdue} total={data.overdue_total} tone="late" />
      <Group name={t('mine:day.due')} items={data.due} />
      <Group name={t('mine:day.upcoming')} items={data.upcoming} />
      <Group name={t('mine:day.undated')} items={data.undated} />
      <Group name={t('mine:day.done')} items={data.done} tone="quiet" />
    </div>
  );
}
