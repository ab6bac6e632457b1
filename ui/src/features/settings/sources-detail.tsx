import {
  IconDots,
  IconFileUpload,
  IconKey,
  IconPencil,
  IconPlayerPause,
  IconPlayerPlay,
  IconTrash,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { type EventSource, type SourceKey, sourceQuery, useDeleteSource, useRotateSource, useSaveSource } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import {
  BackLink,
  Button,
  ButtonLink,
  confirm,
  DetailHead,
  Facts,
  IconButton,
  Loaded,
  Menu,
  Modal,
  Panel,
  RadioGroup,
  Stat,
  Stats,
  Table,
  toast,
} from '@/ui';
import { AreaChart } from '@/ui/chart';
import { Snippets } from './sources-snippets';
import { everyDay, KeyDialog, openKey, SourceHealth } from './sources-state';

export function SourcePage() {
  const { id = '' } = useParams({ strict: false });
  const can = useCan();
  const allowed = can('source.manage');
  const { data, error, refetch } = useQuery({ ...sourceQuery(id), enabled: allowed });
  return (
    <Loaded allowed={allowed} data={data} error={error} onRetry={refetch}>
      {(source) => <One source={source} />}
    </Loaded>
  );
}

function One({ source }: { source: EventSource }) {
  const { t } = useTranslation('sources');
  const fmt = useFormat();
  const [secret, setSecret] = useState<string | null>(null);
  const days = everyDay(source);
  const total = (of: 'accepted' | 'duplicate' | 'collision' | 'rejected' | 'withheld') =>
    days.reduce((n, day) => n + day[of], 0);
  return (
    <div className="stack">
      <DetailHead
        back={<BackLink to="/settings/sources" label={t('sources:back')} />}
        title={source.name}
        state={<SourceHealth source={source} />}
      >
        <Actions source={source} onSecret={setSecret} />
      </DetailHead>
      <Panel>
        <Stats>
          <Stat
            label={t('sources:last')}
            value={source.last_event_at === null ? t('sources:never') : fmt.relative(source.last_event_at)}
          />
          <Stat label={t('sources:accepted')} value={fmt.number(total('accepted'))}>
            {t('sources:thirtyDays')}
          </Stat>
          <Stat label={t('sources:duplicate')} value={fmt.number(total('duplicate'))}>
            {t('sources:duplicateHelp')}
          </Stat>
          <Stat label={t('sources:rejected')} value={fmt.number(total('rejected'))}>
            {total('collision') > 0
              ? t('sources:collisions', { count: total('collision') })
              : t('sources:rejectedHelp')}
          </Stat>
          <Stat label={t('sources:withheld')} value={fmt.number(total('withheld'))}>
            {t('sources:withheldHelp')}
          </Stat>
        </Stats>
      </Panel>
      {source.days.length > 0 && (
        <Panel title={t('sources:byDay')}>
          <AreaChart
            label={t('sources:byDay')}
            height={160}
            format={(value) => fmt.number(value)}
            points={days.map((day) => ({
              key: day.day,
              short: day.day.slice(5),
              title: fmt.date(day.day),
              value: day.accepted,
              notes: [
                `${t('sources:duplicate')} ${fmt.number(day.duplicate)}`,
                `${t('sources:rejected')} ${fmt.number(day.rejected)}`,
              ],
            }))}
          />
        </Panel>
      )}
      <Panel title={t('sources:snippets')}>
        <Snippets type={source.type} />
      </Panel>
      <Panel flush title={t('sources:keys')}>
        <Keys keys={source.keys} />
      </Panel>
      <Panel title={t('sources:form.limits')}>
        <Facts>
          <dt>{t('sources:typeLabel')}</dt>
          <dd>{t(`sources:type.${source.type}`)}</dd>
          {source.type === 'web' && (
            <>
              <dt>{t('sources:origins')}</dt>
              <dd>{source.origins.length === 0 ? t('sources:everyOrigin') : source.origins.join(' ')}</dd>
            </>
          )}
          {source.type !== 'webhook' && (
            <>
              <dt>{t('sources:located')}</dt>
              <dd>
                {t(source.located ? 'sources:locatedOn' : 'sources:locatedOff')}
                {source.located && (
                  <>
                    {' · '}
                    <a href="https://db-ip.com" target="_blank" rel="noreferrer">
                      {t('sources:credit')}
                    </a>
                  </>
                )}
              </dd>
            </>
          )}
          {openKey(source.type) && (
            <>
              <dt>{t('sources:orders')}</dt>
              <dd>{t(source.orders ? 'sources:ordersOn' : 'sources:ordersOff')}</dd>
            </>
          )}
          <dt>{t('sources:rate')}</dt>
          <dd>{fmt.number(source.per_second || source.standard_per_second)}</dd>
          <dt>{t('sources:retention')}</dt>
          <dd>
            {source.retention_days === 0 ? t('sources:forEver') : t('sources:days', { count: source.retention_days })}
          </dd>
        </Facts>
      </Panel>
      {secret !== null && (
        <KeyDialog source={source} secret={secret} text={t('sources:key.rotated')} onClose={() => setSecret(null)} />
      )}
    </div>
  );
}

function Keys({ keys }: { keys: readonly SourceKey[] }) {
  const { t } = useTranslation('sources');
  const fmt = useFormat();
  const until = (key: SourceKey) => {
    if (key.expires_at === null) return t('sources:key.valid');
    if (Date.parse(key.expires_at) <= Date.now()) return t('sources:key.ended');
    return t('sources:key.until', { until: fmt.datetime(key.expires_at) });
  };
  return (
    <Table<SourceKey>
      label={t('sources:keys')}
      rows={keys}
      rowKey={(key) => `${key.hint}${key.created_at}`}
      columns={[
        { key: 'hint', label: t('sources:key.label'), cell: (key) => <code>{key.hint}…</code> },
        { key: 'made', label: t('sources:key.made'), minor: true, cell: (key) => fmt.datetime(key.created_at) },
        { key: 'until', label: t('sources:state'), cell: until },
      ]}
    />
  );
}

const OVERLAPS = ['0', '24', '168', '720'] as const;
type Overlap = (typeof OVERLAPS)[number];

function Actions({ source, onSecret }: { source: EventSource; onSecret: (secret: string) => void }) {
  const { t } = useTranslation(['sources', 'common']);
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const [overlap, setOverlap] = useState<Overlap>('24');
  const save = useSaveSource();
  const rotate = useRotateSource();
  const remove = useDeleteSource();
  const failed = (error: Error) => toast.error(error.message);
  const turn = async () => {
    try {
      await save.mutateAsync({ id: source.id, change: { enabled: !source.enabled } });
      toast.ok(t('common:saved'));
    } catch (error) {
      failed(error as Error);
    }
  };
  const change = async () => {
    try {
      const made = await rotate.mutateAsync({ id: source.id, hours: Number(overlap) });
      setAsking(false);
      onSecret(made.write_key);
    } catch (error) {
      failed(error as Error);
    }
  };
  const askRemove = async () => {
    const sure = await confirm({
      title: t('sources:deleteTitle', { name: source.name }),
      text: t('sources:deleteText'),
      confirm: t('common:delete'),
      danger: true,
    });
    if (sure) remove.mutate(source.id, { onSuccess: () => navigate({ to: '/settings/sources' }), onError: failed });
  };
  return (
    <span className="row">
      <Button
        icon={source.enabled ? <IconPlayerPause size={15} /> : <IconPlayerPlay size={15} />}
        loading={save.isPending}
        onClick={turn}
      >
        {source.enabled ? t('sources:off') : t('sources:on')}
      </Button>
      <ButtonLink to="/settings/sources/$id/edit" params={{ id: source.id }} icon={<IconPencil size={15} />}>
        {t('common:edit')}
      </ButtonLink>
      <Menu
        target={<IconButton label={t('sources:more')} icon={<IconDots size={16} />} tooltip={false} />}
        entries={[
          {
            label: t('sources:history.title'),
            icon: <IconFileUpload size={15} />,
            onSelect: () => navigate({ to: '/settings/sources/$id/history', params: { id: source.id } }),
          },
          { label: t('sources:key.rotate'), icon: <IconKey size={15} />, onSelect: () => setAsking(true) },
          { label: t('common:delete'), icon: <IconTrash size={15} />, danger: true, onSelect: askRemove },
        ]}
      />
      <Modal
        opened={asking}
        onClose={() => setAsking(false)}
        title={t('sources:key.rotate')}
        footer={
          <>
            <Button onClick={() => setAsking(false)}>{t('common:cancel')}</Button>
            <Button kind="primary" loading={rotate.isPending} onClick={change}>
              {t('sources:key.rotate')}
            </Button>
          </>
        }
      >
        <div className="stack">
          <p>{t('sources:key.rotateText')}</p>
          <RadioGroup<Overlap>
            label={t('sources:key.overlap')}
            value={overlap}
            onChange={setOverlap}
            options={OVERLAPS.map((each) => ({ value: each, label: t(`sources:key.hours.${each}`) }))}
          />
        </div>
      </Modal>
    </span>
  );
}
