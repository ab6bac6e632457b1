import { lazy, Suspense } from 'react';
import type { ChurnOverview } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Leaving } from '@/records/churn/leaving';
import { Behind } from '@/records/churn/parts';
import { Panel, SkeletonRows, Table } from '@/ui';
import { Barred, Figure, Figures, Halves, Stack } from '@/ui/figures';
import css from './churn.module.css';

const Whys = lazy(() => import('./whys').then((module) => ({ default: module.Whys })));

function Risks({ data }: { data: ChurnOverview }) {
  const { t } = useTranslation('churn');
  const fmt = useFormat();
  const most = Math.max(1, ...data.risks.map((one) => one.customers));
  const all = data.risks.reduce((sum, one) => sum + one.customers, 0);
  return (
    <Panel flush title={t('churn:risks')}>
      <Table
        label={t('churn:risks')}
        rows={data.risks.toReversed()}
        rowKey={(one) => String(one.from)}
        columns={[
          {
            key: 'risk',
            label: t('churn:risk'),
            cell: (one) => {
              const name = t('churn:between', { from: fmt.percent(one.from, 0), to: fmt.percent(one.to, 0) });
              return (
                <Barred share={one.customers / most}>
                  <Behind where={one.where} label={t('churn:open', { name, total: fmt.number(one.customers) })}>
                    {name}
                  </Behind>
                </Barred>
              );
            },
          },
          { key: 'customers', label: t('churn:customers'), align: 'right', cell: (one) => fmt.number(one.customers) },
          {
            key: 'share',
            label: t('churn:share'),
            align: 'right',
            cell: (one) => (all === 0 ? '\u2013' : fmt.percent(one.customers / all, 1)),
          },
        ]}
      />
      <p className={css.foot}>{t('churn:risksMean')}</p>
    </Panel>
  );
}

/** What the model infers; what customers said is elsewhere and never counted together with it. */
function Drivers({ data }: { data: ChurnOverview }) {
  const { t } = useTranslation('churn');
  const fmt = useFormat();
  const label = useLabel();
  const most = Math.max(1, ...data.drivers.map((one) => one.customers));
  return (
    <Panel flush title={t('churn:drivers')}>
      <Table
        label={t('churn:drivers')}
        rows={data.drivers}
        rowKey={(one) => one.key}
        columns={[
          {
            key: 'driver',
            label: t('churn:driver'),
            cell: (one) => (
              <Barred share={one.customers / most}>
                <Behind
                  where={one.where}
                  label={t('churn:open', { name: label(one.label, one.key), total: fmt.number(one.customers) })}
                >
                  {label(one.label, one.key)}
                </Behind>
              </Barred>
            ),
          },
          { key: 'customers', label: t('churn:customers'), align: 'right', cell: (one) => fmt.number(one.customers) },
        ]}
      />
      <p className={css.foot}>{t(data.drivers.length === 0 ? 'churn:driversNone' : 'churn:driversMean')}</p>
    </Panel>
  );
}

/** Who is leaving: by warning, by risk, those who matter most, and why as far as behaviour tells. */
export function Overview({ data }: { data: ChurnOverview }) {
  const { t } = useTranslation('churn');
  const fmt = useFormat();
  const label = useLabel();
  const can = useCan();
  return (
    <Stack>
      <Figures>
        {data.bands.map((band) => {
          const name = label(band.label, band.key);
          return (
            <Figure
              key={band.key}
              name={name}
              means={t(band.key === 'lost' ? 'churn:means.lost' : 'churn:means.band')}
              note={t('churn:spent', { spend: fmt.money(band.spend, { compact: true }) })}
              value={
                <Behind where={band.where} label={t('churn:open', { name, total: fmt.number(band.customers) })}>
                  {fmt.number(band.customers)}
                </Behind>
              }
            />
          );
        })}
      </Figures>
      <Leaving data={data} />
      <Halves>
        <Risks data={data} />
        <Drivers data={data} />
      </Halves>
      {can('segment.read') && data.drivers.length > 0 && (
        <Suspense fallback={<SkeletonRows rows={4} />}>
          <Whys />
        </Suspense>
      )}
    </Stack>
  );
}
