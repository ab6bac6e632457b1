import { IconRefresh } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import {
  type DeliveryState,
  deliveriesQuery,
  deliveryQuery,
  type ReplayInput,
  useReplayWebhook,
  type Webhook,
  type WebhookDelivery,
} from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import {
  Button,
  DateRangePicker,
  Drawer,
  EmptyState,
  ErrorState,
  Facts,
  Modal,
  Panel,
  prose,
  SegmentedControl,
  SkeletonRows,
  Table,
  toast,
} from '@/ui';
import css from './settings.module.css';
import own from './webhooks.module.css';
import { DeliveryPill, useAttemptText } from './webhooks-state';

const STATES = ['all', 'waiting', 'delivered', 'dead'] as const;

function useReplay(hook: Webhook) {
  const { t } = useTranslation('webhooks');
  const replay = useReplayWebhook();
  const run = (what: ReplayInput, then?: () => void) =>
    replay.mutate(
      { id: hook.id, what },
      {
        onSuccess: ({ count }) => {
          toast.ok(t('webhooks:replay.done', { count }));
          then?.();
        },
        onError: (error) => toast.error(error.message),
      },
    );
  return { run, pending: replay.isPending };
}

/** What was sent and what came back, newest first; any of it can be sent again. */
export function WebhookLog({ hook }: { hook: Webhook }) {
  const { t } = useTranslation('webhooks');
  const fmt = useFormat();
  const [state, setState] = useState<(typeof STATES)[number]>('all');
  const [shown, setShown] = useState<string | null>(null);
  const [ranging, setRanging] = useState(false);
  const replay = useReplay(hook);
  const chosen: DeliveryState | null = state === 'all' ? null : state;
  const { data, error, isPending, fetchNextPage, hasNextPage, isFetchingNextPage, refetch } = useInfiniteQuery(
    deliveriesQuery(hook.id, chosen),
  );
  const rows = data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <div className={own.toolbar}>
        <SegmentedControl
          label={t('webhooks:log.filter')}
          value={state}
          onChange={setState}
          options={STATES.map((each) => ({
            value: each,
            label: each === 'all' ? t('webhooks:log.all') : t(`webhooks:state.${each}`),
          }))}
        />
        <span className="row">
          {hook.dead > 0 && (
            <Button
              icon={<IconRefresh size={15} />}
              loading={replay.pending}
              onClick={() => replay.run({ dead: true })}
            >
              {t('webhooks:replay.dead')}
            </Button>
          )}
          <Button kind="subtle" onClick={() => setRanging(true)}>
            {t('webhooks:replay.range')}
          </Button>
        </span>
      </div>
      <Panel flush title={t('webhooks:log.title')}>
        {isPending && <SkeletonRows rows={5} />}
        {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
        {data !== undefined && (
          <Table<WebhookDelivery>
            label={t('webhooks:log.title')}
            rows={rows}
            rowKey={(row) => row.id}
            onRowClick={(row) => setShown(row.id)}
            empty={
              <EmptyState
                compact
                cause={state === 'all' ? 'none' : 'no_match'}
                {...(state === 'all' && { title: t('webhooks:log.none'), text: t('webhooks:log.noneText') })}
              />
            }
            columns={[
              {
                key: 'type',
                label: t('webhooks:log.type'),
                cell: (row) => (
                  <span className={prose.lines}>
                    <button type="button" className={prose.link} onClick={() => setShown(row.id)}>
                      <code>{row.type}</code>
                    </button>
                    <span className={prose.when}>{fmt.datetime(row.at)}</span>
                  </span>
                ),
              },
              { key: 'state', label: t('webhooks:stateLabel'), cell: (row) => <DeliveryPill delivery={row} /> },
              {
                key: 'attempts',
                label: t('webhooks:log.attempts'),
                align: 'right',
                minor: true,
                cell: (row) => fmt.number(row.attempts),
              },
              {
                key: 'next',
                label: t('webhooks:log.next'),
                minor: true,
                cell: (row) => (
                  <span className="muted">
                    {row.error !== '' && t(`webhooks:error.${row.error}`)}
                    {row.error !== '' && row.next_at !== null && row.attempts > 0 && ' \u00b7 '}
                    {row.next_at !== null && row.attempts > 0 && fmt.datetime(row.next_at)}
                  </span>
                ),
              },
            ]}
          />
        )}
      </Panel>
      {hasNextPage && (
        <div>
          <Button loading={isFetchingNextPage} onClick={() => fetchNextPage()}>
            {t('webhooks:log.more')}
          </Button>
        </div>
      )}
      <Drawer opened={shown !== null} onClose={() => setShown(null)} title={t('webhooks:log.one')} size={640}>
        {shown !== null && <Detail hook={hook} delivery={shown} onReplayed={() => setShown(null)} />}
      </Drawer>
      {ranging && <RangeDialog hook={hook} onClose={() => setRanging(false)} />}
    </>
  );
}

function Detail({ hook, delivery, onReplayed }: { hook: Webhook; delivery: string; onReplayed: () => void }) {
  const { t } = useTranslation('webhooks');
  const fmt = useFormat();
  const attemptText = useAttemptText();
  const replay = useReplay(hook);
  const { data, error, refetch } = useQuery(deliveryQuery(hook.id, delivery));
  if (data === undefined)
    return error === null ? <SkeletonRows rows={6} /> : <ErrorState compact error={error} onRetry={() => refetch()} />;
  const { delivery: head } = data;
  return (
    <div className="stack">
      <Facts>
        <dt>{t('webhooks:log.type')}</dt>
        <dd>
          <code>{head.type}</code> <DeliveryPill delivery={head} />
        </dd>
        <dt>{t('webhooks:log.id')}</dt>
        <dd className={own.address}>{head.id}</dd>
        {head.record !== null && (
          <>
            <dt>{t('webhooks:log.record')}</dt>
            <dd>
              <Link to="/o/$object/$id" params={{ object: head.record.object, id: head.record.id }}>
                {head.record.id}
              </Link>
            </dd>
          </>
        )}
        {head.next_at !== null && (
          <>
            <dt>{t('webhooks:log.nextAttempt')}</dt>
            <dd>{fmt.datetime(head.next_at)}</dd>
          </>
        )}
      </Facts>
      {head.state !== 'waiting' && head.type !== 'webhook.test' && (
        <div>
          <Button
            icon={<IconRefresh size={15} />}
            loading={replay.pending}
            disabled={hook.state === 'disabled'}
            onClick={() => replay.run({ delivery }, onReplayed)}
          >
            {t('webhooks:replay.one')}
          </Button>
        </div>
      )}
      <h3>{t('webhooks:log.answers')}</h3>
      {data.attempts.length === 0 && <p className="muted">{t('webhooks:log.noAnswer')}</p>}
      {data.attempts.map((attempt) => (
        <div key={attempt.number} className={own.attempt}>
          <span>
            {t('webhooks:log.attempt', { number: attempt.number })} <strong>{attemptText(attempt)}</strong>{' '}
            <span className="muted">
              {fmt.datetime(attempt.at)} {'\u00b7'} {fmt.number(attempt.ms)} ms
            </span>
          </span>
          {attempt.response !== '' && <pre className={css.json}>{attempt.response}</pre>}
        </div>
      ))}
      <h3>{t('webhooks:log.request')}</h3>
      <p className="muted">{t('webhooks:log.hidden')}</p>
      <pre className={css.json}>
        {`POST ${data.url}\n`}
        {Object.entries(data.headers)
          .sort(([a], [b]) => a.localeCompare(b))
          .map(([name, value]) => `${name}: ${value}`)
          .join('\n')}
      </pre>
      <pre className={css.json}>{JSON.stringify(data.body, null, 2)}</pre>
    </div>
  );
}

function RangeDialog({ hook, onClose }: { hook: Webhook; onClose: () => void }) {
  const { t } = useTranslation(['webhooks', 'common']);
  const replay = useReplay(hook);
  const [range, setRange] = useState<[string | null, string | null]>([null, null]);
  const [from, to] = range;
  const run = () => {
    if (from === null || to === null) return;
    const end = new Date(`${to}T00:00:00`);
    end.setDate(end.getDate() + 1);
    replay.run({ from: new Date(`${from}T00:00:00`).toISOString(), to: end.toISOString() }, onClose);
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('webhooks:replay.range')}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" disabled={from === null || to === null} loading={replay.pending} onClick={run}>
            {t('webhooks:replay.run')}
          </Button>
        </>
      }
    >
      <div className={css.form}>
        <p className="muted">{t('webhooks:replay.rangeText')}</p>
        <DateRangePicker label={t('webhooks:replay.days')} value={range} onChange={setRange} clearable />
      </div>
    </Modal>
  );
}
