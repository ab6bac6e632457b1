import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { customerJourneysQuery, type JourneyPerson, type RecordData } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Closed, EmptyState, ErrorState, Panel, SkeletonRows } from '@/ui';

const OUTCOMES = ['done', 'else', 'failed', 'event', 'time', 'left', 'stopped'] as const;

/** The ways of a customer through journeys, step by step. */
export function CustomerJourneysPanel({ record }: { record: RecordData }) {
  const { t } = useTranslation('journeys');
  const can = useCan();
  const allowed = can('campaign.read');
  const { data, error, refetch } = useQuery({ ...customerJourneysQuery(record.id), enabled: allowed });
  if (!allowed) return <Closed cause="no_permission" />;
  if (data === undefined)
    return error === null ? <SkeletonRows rows={4} /> : <ErrorState error={error} onRetry={() => refetch()} />;
  if (data.items.length === 0)
    return <EmptyState compact cause="none" title={t('journeys:people.none')} text={t('journeys:people.noneOf')} />;
  return data.items.map((one) => <Way key={one.id} entry={one} />);
}

function Way({ entry }: { entry: JourneyPerson }) {
  const { t } = useTranslation('journeys');
  const fmt = useFormat();
  return (
    <Panel
      title={
        <Link to="/journeys/$id" params={{ id: entry.journey.id }}>
          {entry.journey.title}
        </Link>
      }
      aside={
        <span className="muted">
          {t(`journeys:state.${entry.state}`)} {'\u00b7'} {fmt.datetime(entry.entered_at)}
        </span>
      }
    >
      <ol>
        {entry.path.map((one) => {
          const known = OUTCOMES.find((each) => each === one.outcome);
          const kind = one.kind === '' ? '' : t(`journeys:kind.${one.kind as 'wait'}`);
          return (
            <li key={`${one.step}.${one.at}`}>
              {kind} {known === undefined ? one.outcome : t(`journeys:outcome.${known}`)}{' '}
              <span className="muted">
                {one.reason} {fmt.datetime(one.at)}
              </span>
            </li>
          );
        })}
        {entry.state === 'on' && (
          <li>
            {t('journeys:people.now', { step: entry.step_name || entry.step })}{' '}
            <span className="muted">{entry.due_at === null ? '' : fmt.datetime(entry.due_at)}</span>
          </li>
        )}
      </ol>
      {entry.goal_at !== null && <p>{t('journeys:people.goal', { at: fmt.datetime(entry.goal_at) })}</p>}
    </Panel>
  );
}
