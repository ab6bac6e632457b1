import { useQuery } from '@tanstack/react-query';
import { type LiveEvent, liveEventQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { ButtonLink, Dot, Drawer, ErrorState, Facts, Pill, SkeletonRows } from '@/ui';
import css from './events.module.css';
import { Person } from './live';
import { STATE_HUES } from './words';

interface Props {
  event: LiveEvent;
  onClose: () => void;
}

/** Milliseconds between two instants, with the sign of the clock's fault. */
const apart = (one: string, other: string): number => new Date(one).getTime() - new Date(other).getTime();

/** One event: what was sent, when it says it was, and whose it became. */
export function LiveDrawer({ event, onClose }: Props) {
  const { t } = useTranslation('tracking');
  const fmt = useFormat();
  const shift = event.claimed_at === null ? 0 : apart(event.at, event.claimed_at);
  return (
    <Drawer opened onClose={onClose} title={event.name || t('tracking:noName')} size={640}>
      <div className={css.stack}>
        <Facts>
          <dt>{t('tracking:live.state')}</dt>
          <dd className={css.pills}>
            <Dot color={STATE_HUES[event.state]}>{t(`tracking:state.${event.state}`)}</Dot>
            {event.flags.map((flag) => (
              <Pill key={flag} color={flag === 'unplanned' ? 'orange' : 'gray'}>
                {t(`tracking:flag.${flag}`)}
              </Pill>
            ))}
          </dd>
          {event.trouble.length > 0 && (
            <>
              <dt>{t('tracking:live.why')}</dt>
              <dd>
                <ul className={css.trouble}>
                  {event.trouble.map((each) => (
                    <li key={each.code + each.property}>{each.text}</li>
                  ))}
                </ul>
              </dd>
            </>
          )}
          <dt>{t('tracking:live.at')}</dt>
          <dd>
            {fmt.datetime(event.at)}
            {Math.abs(shift) >= 1000 && (
              <span className="muted">
                {' '}
                {t(shift < 0 ? 'tracking:live.fast' : 'tracking:live.slow', {
                  time: fmt.duration(Math.round(Math.abs(shift) / 1000)),
                })}
              </span>
            )}
          </dd>
          {event.claimed_at !== null && (
            <>
              <dt>{t('tracking:live.claimed')}</dt>
              <dd>{fmt.datetime(event.claimed_at)}</dd>
            </>
          )}
          <dt>{t('tracking:live.received')}</dt>
          <dd>{fmt.datetime(event.received_at)}</dd>
          <dt>{t('tracking:filter.source')}</dt>
          <dd>{event.source.name || t('tracking:goneSource')}</dd>
          <dt>{t('tracking:live.person')}</dt>
          <dd>
            <Person event={event} />
          </dd>
          {event.user_id !== '' && (
            <>
              <dt>{t('tracking:live.userId')}</dt>
              <dd className={css.id}>{event.user_id}</dd>
            </>
          )}
          {event.anonymous_id !== '' && (
            <>
              <dt>{t('tracking:live.anonymousId')}</dt>
              <dd className={css.id}>{event.anonymous_id}</dd>
            </>
          )}
          {event.profile !== '' && (
            <>
              <dt>{t('tracking:live.profile')}</dt>
              <dd className={css.id}>{event.profile}</dd>
            </>
          )}
          <dt>{t('tracking:live.messageId')}</dt>
          <dd className={css.id}>{event.message_id || '\u2013'}</dd>
        </Facts>
        {event.state === 'rejected' && (
          <div>
            <ButtonLink to={'/events' as never} search={{ tab: 'rejected' } as never}>
              {t('tracking:live.toRejected')}
            </ButtonLink>
          </div>
        )}
        {event.id.startsWith('evt_') && <Bodies id={event.id} />}
      </div>
    </Drawer>
  );
}

function Bodies({ id }: { id: string }) {
  const { t } = useTranslation('tracking');
  const { data, error, refetch } = useQuery(liveEventQuery(id));
  if (data === undefined)
    return error === null ? <SkeletonRows rows={6} /> : <ErrorState compact error={error} onRetry={() => refetch()} />;
  const more = [
    ['groupId', data.group_id],
    ['previousId', data.previous_id],
  ].filter(([, value]) => value !== '');
  return (
    <>
      {more.map(([name, value]) => (
        <p key={name} className={css.id}>
          {name}: {value}
        </p>
      ))}
      <h3>{t('tracking:live.properties')}</h3>
      <pre className={css.json}>{JSON.stringify(data.properties, null, 2)}</pre>
      <h3>{t('tracking:live.context')}</h3>
      <pre className={css.json}>{JSON.stringify(data.context, null, 2)}</pre>
    </>
  );
}
