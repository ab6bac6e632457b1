import { IconPlayerPause, IconPlayerPlay, IconPlayerStop } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import {
  type Campaign,
  type CampaignGroup,
  type CampaignResult,
  campaignPeopleQuery,
  campaignResultQuery,
  useMoveCampaign,
} from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan, useMinor } from '@/metadata';
import { Button, confirm, Dot, Drawer, ErrorState, Page, Panel, SkeletonRows, Table, toast } from '@/ui';
import { Barred, Stack } from '@/ui/figures';
import { MailFigures, Reasons, TextFigures, type Who } from './campaign-figures';
import css from './campaigns.module.css';
import { STATUS_HUE, useArmName, useLineWord, usePauseReason } from './words';

function People({ id, who, onClose }: { id: string; who: Who | null; onClose: () => void }) {
  const { t } = useTranslation('campaigns');
  const fmt = useFormat();
  const arm = useArmName();
  const { data, error, refetch } = useQuery({
    ...campaignPeopleQuery(id, who?.state ?? '', who?.gate ?? ''),
    enabled: who !== null,
  });
  return (
    <Drawer opened={who !== null} onClose={onClose} title={who?.title} size={560}>
      {data === undefined && error === null && <SkeletonRows rows={6} />}
      {error !== null && <ErrorState compact error={error} onRetry={() => refetch()} />}
      {data !== undefined && (
        <div className={css.form}>
          <Table
            label={who?.title ?? ''}
            rows={data.items}
            rowKey={(row) => row.id}
            empty={<p className={css.note}>{t('campaigns:nobody')}</p>}
            columns={[
              {
                key: 'customer',
                label: t('campaigns:customer'),
                cell: (row) => (
                  <Link to="/o/$object/$id" params={{ object: 'customer', id: row.customer.id }} className="link">
                    {row.customer.title}
                  </Link>
                ),
              },
              { key: 'arm', label: t('campaigns:arm'), cell: (row) => arm(row.arm) },
              {
                key: 'at',
                label: t('campaigns:handed'),
                minor: true,
                cell: (row) => (row.at === null ? '\u2013' : fmt.datetime(row.at)),
              },
            ]}
          />
          {data.next !== '' && <p className={css.note}>{t('campaigns:firstPage')}</p>}
          {data.hidden > 0 && <p className={css.note}>{t('campaigns:hiddenPeople', { count: data.hidden })}</p>}
        </div>
      )}
    </Drawer>
  );
}

/** Where everybody is: the lines sum to the audience. */
function Sums({ result, channel, open }: { result: CampaignResult; channel: string; open: (who: Who) => void }) {
  const { t } = useTranslation('campaigns');
  const word = useLineWord(channel);
  const fmt = useFormat();
  const rows = [
    ...result.gates.map((gate) => ({
      key: gate.gate,
      name: word('gates', gate.gate),
      count: gate.count,
      state: 'stopped',
      gate: gate.gate,
    })),
    ...result.states
      .filter((state) => state.state !== 'stopped')
      .map((state) => ({
        key: state.state,
        name: word('states', state.state),
        count: state.count,
        state: state.state,
        gate: '',
      })),
  ];
  const share = (count: number) => (result.audience === 0 ? 0 : count / result.audience);
  return (
    <Panel flush title={t('campaigns:where')}>
      <Table
        label={t('campaigns:where')}
        rows={[...rows, { key: 'all', name: t('campaigns:audience'), count: result.audience, state: '', gate: '' }]}
        rowKey={(row) => row.key}
        columns={[
          {
            key: 'name',
            label: t('campaigns:gate'),
            cell: (row) => (
              <Barred share={row.key === 'all' ? 0 : share(row.count)}>
                <button
                  type="button"
                  className={css.gate}
                  onClick={() => open({ state: row.state, gate: row.gate, title: row.name })}
                >
                  {row.key === 'all' ? <b>{row.name}</b> : row.name}
                </button>
              </Barred>
            ),
          },
          { key: 'count', label: t('campaigns:people'), align: 'right', cell: (row) => fmt.number(row.count) },
          {
            key: 'share',
            label: t('campaigns:share'),
            align: 'right',
            minor: true,
            cell: (row) => fmt.percent(share(row.count), 1),
          },
        ]}
      />
      {result.waits.map((wait) => (
        <p key={wait.gate} className={css.foot}>
          {t(`campaigns:waits.${wait.gate}`, { count: wait.count })}
        </p>
      ))}
    </Panel>
  );
}

function Groups({ result, channel }: { result: CampaignResult; channel: string }) {
  const { t } = useTranslation('campaigns');
  const fmt = useFormat();
  const money = useMinor();
  const arm = useArmName();
  const rows = [...result.groups, ...(result.control.assigned > 0 ? [result.control] : [])];
  const part = (count: number, of: number) =>
    of === 0 ? '\u2013' : `${fmt.number(count)} (${fmt.percent(count / of, 1)})`;
  const sent = (key: string, count: (group: CampaignGroup) => number) => ({
    key,
    label: t(`campaigns:term.${key}`),
    align: 'right' as const,
    minor: key !== 'clicked' && key !== 'delivered',
    cell: (group: CampaignGroup) => (group.arm === 'holdout' ? '\u2013' : part(count(group), group.sent)),
  });
  return (
    <Panel flush title={t('campaigns:byGroup')}>
      <Table
        label={t('campaigns:byGroup')}
        rows={rows}
        rowKey={(group) => group.arm}
        columns={[
          { key: 'arm', label: t('campaigns:arm'), cell: (group) => arm(group.arm) },
          {
            key: 'assigned',
            label: t('campaigns:term.assigned'),
            align: 'right',
            cell: (group) => fmt.number(group.assigned),
          },
          {
            key: 'sent',
            label: t(channel === 'email' ? 'campaigns:term.sent' : 'campaigns:textTerm.sent'),
            align: 'right',
            minor: true,
            cell: (group) => fmt.number(group.sent),
          },
          ...(channel === 'sms' ? [sent('delivered', (group) => group.delivered)] : []),
          ...(channel === 'email'
            ? [sent('opened', (group) => group.opened), sent('clicked', (group) => group.clicked)]
            : []),
          sent('unsubscribed', (group) => group.unsubscribed),
          {
            key: 'buyers',
            label: t('campaigns:term.buyers'),
            align: 'right',
            cell: (group) => part(group.buyers, group.assigned),
          },
          {
            key: 'revenue',
            label: t('campaigns:term.revenue'),
            align: 'right',
            cell: (group) => money.text(group.revenue),
          },
        ]}
      />
      <p className={css.foot}>{t(channel === 'email' ? 'campaigns:groupsMean' : 'campaigns:textGroupsMean')}</p>
    </Panel>
  );
}

/** What was gained over those held back, in words and with its interval. */
function Gain({ result }: { result: CampaignResult }) {
  const { t } = useTranslation('campaigns');
  const fmt = useFormat();
  const money = useMinor();
  const arm = useArmName();
  const { buyers, revenue, incremental, profit } = result;
  const points = (share: number) => t('campaigns:points', { value: fmt.number(share * 100, 2) });
  const range = (low: string, high: string) => t('campaigns:range', { low, high });
  if (!result.balanced)
    return (
      <Panel title={t('campaigns:gain')}>
        <p className={css.fault} role="alert">
          {t('campaigns:unbalanced')}
        </p>
      </Panel>
    );
  if (result.control.assigned === 0)
    return (
      <Panel title={t('campaigns:gain')}>
        <p className={css.note}>{t('campaigns:noControl')}</p>
      </Panel>
    );
  return (
    <Panel title={t('campaigns:gain')}>
      <div className={css.form}>
        <p className={css.verdict}>
          {buyers.ok
            ? t(`campaigns:verdict.${buyers.verdict}`, {
                lift: points(buyers.lift),
                range: range(points(buyers.low), points(buyers.high)),
              })
            : t(`campaigns:why.${buyers.why}`)}
        </p>
        {revenue.ok ? (
          <p className={css.verdict}>
            {t(`campaigns:money.${revenue.verdict}`, {
              value: money.text(incremental.value),
              range: range(money.text(incremental.low), money.text(incremental.high)),
            })}{' '}
            {t('campaigns:profit', {
              value: money.text(profit.value),
              range: range(money.text(profit.low), money.text(profit.high)),
              cost: money.text(result.cost),
            })}
          </p>
        ) : (
          <p className={css.note}>{t(`campaigns:why.${revenue.why}`)}</p>
        )}
        {result.best !== '' && <p className={css.verdict}>{t('campaigns:best', { arm: arm(result.best) })}</p>}
        {result.open && result.to !== null && (
          <p className={css.note}>{t('campaigns:windowOpen', { date: fmt.date(result.to) })}</p>
        )}
      </div>
    </Panel>
  );
}

function Links({ result }: { result: CampaignResult }) {
  const { t } = useTranslation('campaigns');
  const fmt = useFormat();
  if (result.links.length === 0) return null;
  return (
    <Panel flush title={t('campaigns:links')}>
      <Table
        label={t('campaigns:links')}
        rows={result.links}
        rowKey={(link) => String(link.number)}
        columns={[
          { key: 'url', label: t('campaigns:link'), cell: (link) => <span className={css.url}>{link.url}</span> },
          { key: 'people', label: t('campaigns:people'), align: 'right', cell: (link) => fmt.number(link.people) },
          {
            key: 'clicks',
            label: t('campaigns:clicks'),
            align: 'right',
            minor: true,
            cell: (link) => fmt.number(link.clicks),
          },
          {
            key: 'machine',
            label: t('campaigns:machineClicks'),
            align: 'right',
            minor: true,
            cell: (link) => fmt.number(link.machine_clicks),
          },
        ]}
      />
    </Panel>
  );
}

function Report({ campaign, result, dim }: { campaign: Campaign; result: CampaignResult; dim: boolean }) {
  const [who, setWho] = useState<Who | null>(null);
  const { channel } = campaign;
  return (
    <Stack dim={dim}>
      {channel === 'email' ? <MailFigures result={result} /> : <TextFigures result={result} channel={channel} />}
      <Gain result={result} />
      <Sums result={result} channel={channel} open={setWho} />
      {channel !== 'email' && <Reasons result={result} channel={channel} open={setWho} />}
      <Groups result={result} channel={channel} />
      <Links result={result} />
      <People id={campaign.id} who={who} onClose={() => setWho(null)} />
    </Stack>
  );
}

function Actions({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation('campaigns');
  const move = useMoveCampaign();
  if (!useCan()('campaign.send') || campaign.status === 'sent' || campaign.status === 'stopped') return null;
  const go = async (to: 'pause' | 'resume' | 'stop') => {
    if (to === 'stop') {
      const yes = await confirm({
        title: t('campaigns:stopAsk', { name: campaign.name }),
        text: t('campaigns:stopAskText'),
        confirm: t('campaigns:stop'),
        danger: true,
      });
      if (!yes) return;
    }
    move.mutate({ id: campaign.id, to, version: campaign.version }, { onError: (error) => toast.error(error.message) });
  };
  return (
    <>
      {campaign.status === 'paused' ? (
        <Button icon={<IconPlayerPlay size={15} />} loading={move.isPending} onClick={() => go('resume')}>
          {t('campaigns:resume')}
        </Button>
      ) : (
        <Button icon={<IconPlayerPause size={15} />} loading={move.isPending} onClick={() => go('pause')}>
          {t('campaigns:pause')}
        </Button>
      )}
      <Button icon={<IconPlayerStop size={15} />} loading={move.isPending} onClick={() => go('stop')}>
        {t('campaigns:stop')}
      </Button>
    </>
  );
}

/** A campaign that was started: where everybody is, and what came of it. */
export function CampaignReport({ campaign, back }: { campaign: Campaign; back: ReactNode }) {
  const { t } = useTranslation('campaigns');
  const pauseReason = usePauseReason();
  const { data, error, refetch, isPlaceholderData } = useQuery(campaignResultQuery(campaign.id));
  return (
    <Page
      title={campaign.name}
      back={back}
      heading={
        <span className="row">
          {campaign.name}
          <Dot color={STATUS_HUE[campaign.status]}>{t(`campaigns:statuses.${campaign.status}`)}</Dot>
        </span>
      }
      actions={<Actions campaign={campaign} />}
    >
      {campaign.reason !== '' && (
        <p className={css.fault} role="alert">
          {t('campaigns:pausedBy', { reason: pauseReason(campaign.reason) })}
        </p>
      )}
      {data !== undefined && <Report campaign={campaign} result={data} dim={isPlaceholderData} />}
      {data === undefined && error === null && <SkeletonRows rows={8} />}
      {error !== null && <ErrorState compact={data !== undefined} error={error} onRetry={() => refetch()} />}
    </Page>
  );
}
