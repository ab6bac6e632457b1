import { useSearch } from '@tanstack/react-router';
import { useTranslation } from '@/i18n';
import { useSession } from '@/metadata';
import { Page, SegmentedControl } from '@/ui';
import { Calendar } from './calendar';
import { CalendarFeed } from './calendar-feed';
import { DayList } from './day-list';
import { useDaySearch } from './day-search';

/** What I have to do: as a list by urgency, or on a calendar. */
export function DayPage() {
  const { t } = useTranslation(['work', 'mine']);
  const { user } = useSession();
  const { view = 'list' } = useSearch({ strict: false }) as { view?: 'list' | 'week' | 'month' };
  const go = useDaySearch();
  return (
    <Page
      title={t('mine:day.title')}
      actions={
        <>
          <CalendarFeed />
          <SegmentedControl
            label={t('mine:day.view')}
            value={view}
            onChange={(next) => go({ view: next === 'list' ? undefined : next })}
            options={[
              { value: 'list', label: t('mine:day.list') },
              { value: 'week', label: t('mine:day.week') },
              { value: 'month', label: t('mine:day.month') },
            ]}
          />
        </>
      }
    >
      {view === 'list' ? <DayList user={user} /> : <Calendar view={view} />}
    </Page>
  );
}
