import { IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import {
  certificateUrl,
  type Erasure,
  type ErasureState,
  erasuresQuery,
  errorText,
  useDecideErasure,
  useRetryErasure,
} from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Counts } from '@/records/privacy/counts';
import {
  Button,
  ButtonAnchor,
  confirm,
  Dot,
  Drawer,
  EmptyState,
  ErrorState,
  Panel,
  SkeletonRows,
  Table,
  toast,
} from '@/ui';
import css from './privacy.module.css';

const COLORS: Record<ErasureState, string> = {
  waiting: 'amber',
  queued: 'blue',
  running: 'blue',
  cleaning: 'blue',
  done: 'green',
  failed: 'red',
  refused: 'gray',
};
const MOVING = 3_000;

/** Every erasure with its state; one opens with its proof. */
export function ErasuresPart() {
  const { t } = useTranslation('privacy');
  const fmt = useFormat();
  const [open, setOpen] = useState<string | null>(null);
  const { data, error, isPending, refetch } = useQuery({
    ...erasuresQuery(),
    refetchInterval: ({ state }) =>
      state.data?.items.some(({ state: at }) => at === 'queued' || at === 'running') ? MOVING : false,
  });
  const shown = data?.items.find(({ id }) => id === open);
  return (
    <Panel flush title={t('privacy:erasures.title')}>
      {isPending && <SkeletonRows rows={3} />}
      {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
      {data !== undefined && (
        <Table<Erasure>
          label={t('privacy:erasures.title')}
          rows={data.items}
          rowKey={(each) => each.id}
          onRowClick={(each) => setOpen(each.id)}
          empty={
            <EmptyState compact cause="none" title={t('privacy:erasures.none')} text={t('privacy:erasures.noneText')} />
          }
          columns={[
            {
              key: 'state',
              label: t('privacy:erasures.state'),
              cell: (each) => <Dot color={COLORS[each.state]}>{t(`privacy:state.${each.state}`)}</Dot>,
            },
            { key: 'record', label: t('privacy:erasures.record'), cell: (each) => <code>{each.record}</code> },
            {
              key: 'reason',
              label: t('privacy:erase.reason'),
              minor: true,
              cell: (each) => t(`privacy:reason.${each.reason}`),
            },
            { key: 'by', label: t('privacy:erasures.by'), minor: true, cell: (each) => actor(t, each.requested_by) },
            { key: 'at', label: t('privacy:erasures.at'), cell: (each) => fmt.relative(each.requested_at) },
          ]}
        />
      )}
      {shown !== undefined && <ErasureDrawer erasure={shown} onClose={() => setOpen(null)} />}
    </Panel>
  );
}

const actor = (t: (key: string) => string, by: Erasure['requested_by']) =>
  by.kind === 'user' || by.name !== '' ? by.name : t(`privacy:actor.${by.kind}`);

function ErasureDrawer({ erasure, onClose }: { erasure: Erasure; onClose: () => void }) {
  const { t } = useTranslation(['privacy', 'common']);
  const fmt = useFormat();
  const decide = useDecideErasure();
  const retry = useRetryErasure();
  const run = async (work: Promise<unknown>, done: string) => {
    try {
      await work;
      toast.ok(done);
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    }
  };
  const yes = async () => {
    const sure = await confirm({
      title: t('privacy:erasures.confirmTitle'),
      text: t('privacy:erase.final'),
      confirm: t('privacy:erase.do'),
      danger: true,
    });
    if (sure) await run(decide.mutateAsync({ id: erasure.id, confirm: true }), t('privacy:erase.begun'));
  };
  return (
    <Drawer opened onClose={onClose} title={t('privacy:erasures.one', { record: erasure.record })} size={460}>
      <div className={css.form}>
        <Dot color={COLORS[erasure.state]}>{t(`privacy:state.${erasure.state}`)}</Dot>
        <p className={css.note}>{t(`privacy:stateHelp.${erasure.state}`)}</p>
        {erasure.error !== '' && <p className={css.bad}>{erasure.error}</p>}
        {erasure.state === 'waiting' && (
          <div className={css.actions}>
            {!erasure.mine && (
              <Button kind="danger" loading={decide.isPending} onClick={() => void yes()}>
                {t('privacy:erasures.confirm')}
              </Button>
            )}
            <Button
              loading={decide.isPending}
              onClick={() =>
                void run(decide.mutateAsync({ id: erasure.id, confirm: false }), t('privacy:erasures.takenBack'))
              }
            >
              {erasure.mine ? t('privacy:erasures.takeBack') : t('privacy:erasures.refuse')}
            </Button>
          </div>
        )}
        {erasure.state === 'failed' && (
          <Button
            loading={retry.isPending}
            onClick={() => void run(retry.mutateAsync(erasure.id), t('privacy:erase.begun'))}
          >
            {t('privacy:erasures.retry')}
          </Button>
        )}
        <dl className={css.facts}>
          <dt>{t('privacy:erase.reason')}</dt>
          <dd>{t(`privacy:reason.${erasure.reason}`)}</dd>
          {erasure.reference !== '' && (
            <>
              <dt>{t('privacy:erase.reference')}</dt>
              <dd>{erasure.reference}</dd>
            </>
          )}
          <dt>{t('privacy:erasures.by')}</dt>
          <dd>
            {actor(t, erasure.requested_by)} · {fmt.datetime(erasure.requested_at)}
          </dd>
          {erasure.decided_by !== null && (
            <>
              <dt>{t('privacy:erasures.decidedBy')}</dt>
              <dd>
                {erasure.decided_by.name} · {fmt.datetime(erasure.decided_at)}
              </dd>
            </>
          )}
          {erasure.finished_at !== null && (
            <>
              <dt>{t('privacy:erasures.finished')}</dt>
              <dd>{fmt.datetime(erasure.finished_at)}</dd>
            </>
          )}
        </dl>
        {erasure.counts.length > 0 && <Counts counts={erasure.counts} />}
        {erasure.state === 'done' && (
          <>
            <div className={css.actions}>
              <ButtonAnchor href={certificateUrl(erasure.id)} icon={<IconDownload size={15} />}>
                {t('privacy:erasures.certificate')}
              </ButtonAnchor>
              <ButtonAnchor href={certificateUrl(erasure.id, true)}>JSON</ButtonAnchor>
            </div>
            <p className={css.note}>
              SHA-256 <code className={css.sum}>{erasure.certificate}</code>
            </p>
          </>
        )}
      </div>
    </Drawer>
  );
}
