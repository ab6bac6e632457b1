import { IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { EVENT_FLAGS, EVENT_KINDS, EVENT_STATES, type LiveEvent, type LiveFilter, liveEventsQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import {
  Button,
  ButtonLink,
  Dot,
  EmptyState,
  ErrorState,
  Panel,
  Pill,
  prose,
  Select,
  SkeletonRows,
  Table,
  TextInput,
} from '@/ui';
import css from './events.module.css';
import { LiveDrawer } from './live-drawer';
import { STATE_HUES } from './words';

const SETTLE = 300;
const clock = (at: string, timeZone: string, locale: string): string =>
  new Intl.DateTimeFormat(locale, {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    hourCycle: 'h23',
  }).format(new Date(at));

/** A text that reaches the address a moment after the last key. */
function LateInput({ value, label, onChange }: { value: string; label: string; onChange: (value: string) => void }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => onChange(text), SETTLE);
    return () => clearTimeout(timer);
  }, [text, value, onChange]);
  return (
    <TextInput aria-label={label} placeholder={label} value={text} onChange={setText} onEnter={() => onChange(text)} />
  );
}

/** The newest events of all sources, as they come. */
export function LivePart() {
  const { t } = useTranslation(['tracking', 'common']);
  const fmt = useFormat();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as LiveFilter & { tab?: string };
  const [watching, setWatching] = useState(true);
  const [shown, setShown] = useState<LiveEvent | null>(null);
  const filter: LiveFilter = {
    source: search.source,
    name: search.name,
    kind: search.kind,
    state: search.state,
    flag: search.flag,
    person: search.person,
  };
  const filtered = Object.values(filter).some((value) => value !== undefined);
  const { data, error, isPending, refetch } = useQuery(liveEventsQuery(filter, watching));
  const set = (part: LiveFilter) =>
    navigate({ to: '/events', search: { tab: 'live', ...filter, ...part } as never, replace: true });
  const choice = (key: 'kind' | 'state' | 'flag', values: readonly string[]) => (
    <Select
      aria-label={t(`tracking:filter.${key}`)}
      placeholder={t(`tracking:filter.${key}`)}
      clearable
      value={filter[key] ?? null}
      onChange={(value) => set({ [key]: value ?? undefined })}
      options={values.map((value) => ({ value, label: t(`tracking:${key}.${value}`) }))}
    />
  );
  return (
    <div className={css.stack}>
      <div className={css.filters}>
        <Select
          aria-label={t('tracking:filter.source')}
          placeholder={t('tracking:filter.source')}
          clearable
          value={filter.source ?? null}
          onChange={(value) => set({ source: value ?? undefined })}
          options={(data?.sources ?? []).map((source) => ({ value: source.id, label: source.name || source.id }))}
        />
        <LateInput
          value={filter.name ?? ''}
          label={t('tracking:filter.name')}
          onChange={(value) => set({ name: value.trim() || undefined })}
        />
        <LateInput
          value={filter.person ?? ''}
          label={t('tracking:filter.person')}
          onChange={(value) => set({ person: value.trim() || undefined })}
        />
        {choice('kind', EVENT_KINDS)}
        {choice('flag', EVENT_FLAGS)}
        {choice('state', EVENT_STATES)}
      </div>
      <Panel
        flush
        title={
          <span className={css.live} data-on={watching || undefined}>
            {t(watching ? 'tracking:live.on' : 'tracking:live.paused')}
          </span>
        }
        aside={
          <Button
            size="sm"
            icon={watching ? <IconPlayerPause size={15} /> : <IconPlayerPlay size={15} />}
            aria-pressed={!watching}
            onClick={() => setWatching(!watching)}
          >
            {t(watching ? 'tracking:live.pause' : 'tracking:live.goOn')}
          </Button>
        }
      >
        {isPending && <SkeletonRows rows={8} />}
        {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
        {data !== undefined && (
          <Table<LiveEvent>
            label={t('tracking:tab.live')}
            rows={data.items}
            rowKey={(event) => event.id || `${event.message_id}${event.received_at}`}
            onRowClick={setShown}
            empty={
              filtered ? (
                <EmptyState
                  compact
                  cause="no_match"
                  actions={
                    <Button onClick={() => navigate({ to: '/events', search: { tab: 'live' }, replace: true })}>
                      {t('common:clear')}
                    </Button>
                  }
                />
              ) : (
                <EmptyState
                  compact
                  cause="none"
                  title={t('tracking:live.none')}
                  text={t('tracking:live.noneText')}
                  actions={<ButtonLink to={'/settings/sources' as never}>{t('tracking:live.sources')}</ButtonLink>}
                />
              )
            }
            columns={[
              {
                key: 'at',
                label: t('tracking:live.received'),
                width: 110,
                cell: (event) => (
                  <time className={css.clock} dateTime={event.received_at} title={fmt.datetime(event.received_at)}>
                    {clock(event.received_at, fmt.timeZone, fmt.locale)}
                  </time>
                ),
              },
              {
                key: 'name',
                label: t('tracking:live.event'),
                cell: (event) => (
                  <span className={prose.lines}>
                    <button type="button" className={prose.link} onClick={() => setShown(event)}>
                      {event.name || t('tracking:noName')}
                    </button>
                    <span className={css.sub}>{event.page || t(`tracking:kind.${event.kind || 'track'}`)}</span>
                  </span>
                ),
              },
              {
                key: 'state',
                label: t('tracking:live.state'),
                cell: (event) => (
                  <span className={css.pills}>
                    <Dot color={STATE_HUES[event.state]}>{t(`tracking:state.${event.state}`)}</Dot>
                    {event.flags
                      .filter((flag) => flag !== 'collision')
                      .map((flag) => (
                        <Pill key={flag} color={flag === 'unplanned' ? 'orange' : 'gray'}>
                          {t(`tracking:flag.${flag}`)}
                        </Pill>
                      ))}
                    {event.state === 'rejected' && event.trouble[0] !== undefined && (
                      <span className={css.sub}>{event.trouble[0].text}</span>
                    )}
                  </span>
                ),
              },
              {
                key: 'person',
                label: t('tracking:live.person'),
                minor: true,
                cell: (event) => <Person event={event} />,
              },
              {
                key: 'source',
                label: t('tracking:filter.source'),
                minor: true,
                cell: (event) => <span className="muted">{event.source.name || t('tracking:goneSource')}</span>,
              },
            ]}
          />
        )}
      </Panel>
      <p className="muted">{t('tracking:live.window')}</p>
      {shown !== null && <LiveDrawer event={shown} onClose={() => setShown(null)} />}
    </div>
  );
}

export function Person({ event }: { event: LiveEvent }) {
  const { t } = useTranslation('tracking');
  if (event.customer !== null)
    return (
      <Link
        to="/o/$object/$id"
        params={{ object: event.customer.object, id: event.customer.id }}
        search={{}}
        onClick={(click) => click.stopPropagation()}
      >
        {event.customer.title}
      </Link>
    );
  const known = event.user_id || event.anonymous_id;
  if (known === '') return <span className="muted">{'\u2013'}</span>;
  return (
    <span className={css.id} title={known}>
      {event.user_id === '' ? `${t('tracking:anonymous')} ${known.slice(0, 8)}` : known}
    </span>
  );
}
