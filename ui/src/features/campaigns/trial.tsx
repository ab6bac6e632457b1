import { Link } from '@tanstack/react-router';
import type { CampaignTrial } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Table } from '@/ui';
import { Barred } from '@/ui/figures';
import css from './campaigns.module.css';

/** Whom a campaign would reach now, and at which gate the others stay. The lines sum to the audience. */
export function Trial({ trial }: { trial: CampaignTrial }) {
  const { t } = useTranslation('campaigns');
  const fmt = useFormat();
  const rows = [
    ...trial.gates.map((gate) => ({ key: gate.gate, name: t(`campaigns:gates.${gate.gate}`), count: gate.count })),
    { key: 'reached', name: t('campaigns:reached'), count: trial.reached },
    { key: 'audience', name: t('campaigns:audience'), count: trial.audience },
  ];
  const share = (count: number) => (trial.audience === 0 ? 0 : count / trial.audience);
  return (
    <div className={css.form} role="status">
      <Table
        label={t('campaigns:trial')}
        rows={rows}
        rowKey={(row) => row.key}
        columns={[
          {
            key: 'gate',
            label: t('campaigns:gate'),
            cell: (row) =>
              row.key === 'audience' ? <b>{row.name}</b> : <Barred share={share(row.count)}>{row.name}</Barred>,
          },
          {
            key: 'count',
            label: t('campaigns:people'),
            align: 'right',
            cell: (row) => (row.key === 'audience' ? <b>{fmt.number(row.count)}</b> : fmt.number(row.count)),
          },
          {
            key: 'share',
            label: t('campaigns:share'),
            align: 'right',
            minor: true,
            cell: (row) => fmt.percent(share(row.count), 1),
          },
        ]}
      />
      {trial.waiting > 0 && <p className={css.note}>{t('campaigns:waitingText', { count: trial.waiting })}</p>}
      {Object.keys(trial.arms).length > 1 && (
        <p className={css.note}>
          {Object.entries(trial.arms)
            .sort(([left], [right]) => left.localeCompare(right))
            .map(([arm, count]) => `${t('campaigns:variant', { key: arm.toUpperCase() })} ${fmt.number(count)}`)
            .join(' \u00b7 ')}
        </p>
      )}
      {trial.samples.length > 0 && (
        <p className={css.note}>
          {t('campaigns:samples')}{' '}
          {trial.samples.map((who, index) => (
            <span key={who.id}>
              {index > 0 && t('campaigns:comma')}
              <Link to="/o/$object/$id" params={{ object: 'customer', id: who.id }} className="link">
                {who.title}
              </Link>
            </span>
          ))}
        </p>
      )}
    </div>
  );
}
