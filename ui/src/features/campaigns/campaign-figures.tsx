import type { CampaignResult } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useMinor } from '@/metadata';
import { Panel, Table } from '@/ui';
import { Figure, Figures } from '@/ui/figures';
import css from './campaigns.module.css';
import { useLineWord, useTextReason } from './words';

/** Whose list is opened. */
export interface Who {
  state: string;
  gate: string;
  title: string;
}

/** Why messages came to nothing. */
export function Reasons({
  result,
  channel,
  open,
}: {
  result: CampaignResult;
  channel: string;
  open: (who: Who) => void;
}) {
  const { t } = useTranslation('campaigns');
  const fmt = useFormat();
  const word = useLineWord(channel);
  const reason = useTextReason();
  if (result.reasons.length === 0) return null;
  return (
    <Panel flush title={t('campaigns:reasons')}>
      <Table
        label={t('campaigns:reasons')}
        rows={result.reasons}
        rowKey={(row) => `${row.state} ${row.code}`}
        columns={[
          {
            key: 'code',
            label: t('campaigns:reason'),
            cell: (row) => (
              <button
                type="button"
                className={css.gate}
                onClick={() => open({ state: row.state, gate: '', title: word('states', row.state) })}
              >
                {reason(row.code)}
              </button>
            ),
          },
          { key: 'state', label: t('campaigns:gate'), minor: true, cell: (row) => word('states', row.state) },
          { key: 'count', label: t('campaigns:people'), align: 'right', cell: (row) => fmt.number(row.count) },
        ]}
      />
    </Panel>
  );
}

/** What became of what are no mails: nobody sees whether it was read. */
export function TextFigures({ result, channel }: { result: CampaignResult; channel: string }) {
  const { t } = useTranslation('campaigns');
  const fmt = useFormat();
  const money = useMinor();
  const { treated } = result;
  const of = (count: number) => (treated.sent === 0 ? '\u2013' : fmt.percent(count / treated.sent, 1));
  const failed = result.reasons.filter((row) => row.state !== 'unknown').reduce((sum, row) => sum + row.count, 0);
  return (
    <Figures>
      <Figure
        name={t(channel === 'sms' ? 'campaigns:textTerm.sent' : `campaigns:${channel}States.accepted`)}
        value={fmt.number(treated.sent)}
        means={t(channel === 'sms' ? 'campaigns:textMeans.sent' : 'campaigns:plain.sentMeans')}
        note={t('campaigns:ofAudience', { count: result.audience, shown: fmt.number(result.audience) })}
      />
      {channel === 'sms' ? (
        <Figure
          name={t('campaigns:textTerm.delivered')}
          value={of(treated.delivered)}
          means={t('campaigns:textMeans.delivered')}
          note={t('campaigns:textTerm.failedShown', { shown: fmt.number(failed) })}
        />
      ) : (
        <Figure
          name={t('campaigns:plain.failed')}
          value={fmt.number(failed)}
          means={t('campaigns:plain.failedMeans')}
        />
      )}
      <Figure
        name={t('campaigns:term.unsubscribed')}
        value={of(treated.unsubscribed)}
        means={t('campaigns:means.unsubscribed')}
        note={t('campaigns:peopleShown', { shown: fmt.number(treated.unsubscribed) })}
      />
      <Figure
        name={t('campaigns:textTerm.cost')}
        value={money.text(result.cost)}
        means={t(channel === 'sms' ? 'campaigns:textMeans.cost' : 'campaigns:plain.costMeans')}
      />
    </Figures>
  );
}

/** What became of mails. */
export function MailFigures({ result }: { result: CampaignResult }) {
  const { t } = useTranslation('campaigns');
  const fmt = useFormat();
  const { treated } = result;
  const of = (count: number) => (treated.sent === 0 ? '\u2013' : fmt.percent(count / treated.sent, 1));
  return (
    <Figures>
      <Figure
        name={t('campaigns:term.sent')}
        value={fmt.number(treated.sent)}
        means={t('campaigns:means.sent')}
        note={t('campaigns:ofAudience', { count: result.audience, shown: fmt.number(result.audience) })}
      />
      <Figure
        name={t('campaigns:term.opened')}
        value={of(treated.opened)}
        means={t('campaigns:means.opened')}
        note={t('campaigns:machineOpened', { shown: fmt.number(treated.machine_opened) })}
      />
      <Figure
        name={t('campaigns:term.clicked')}
        value={of(treated.clicked)}
        means={t('campaigns:means.clicked')}
        note={t('campaigns:peopleShown', { shown: fmt.number(treated.clicked) })}
      />
      <Figure
        name={t('campaigns:term.unsubscribed')}
        value={of(treated.unsubscribed)}
        means={t('campaigns:means.unsubscribed')}
        note={t('campaigns:bouncedShown', { shown: fmt.number(treated.bounced) })}
      />
    </Figures>
  );
}
