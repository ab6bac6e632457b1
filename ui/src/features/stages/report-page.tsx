import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { type BehindFigure, type Condition, type StageFigure, type StageFigures, stageReportQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { findField, useObject } from '@/metadata';
import { encodeCondition } from '@/records/conditions';
import { BackLink, EmptyState, ErrorState, Page, Progress, SegmentedControl, SkeletonRows, Table } from '@/ui';
import { PassagesDialog } from './passages-dialog';
import css from './report.module.css';

const SPANS = [30, 90, 365] as const;

/** Where records wait and where they are lost: counts, times and passages of each stage. */
export function StageReportPage() {
  const { t } = useTranslation('stages');
  const label = useLabel();
  const fmt = useFormat();
  const { object: key = '' } = useParams({ strict: false });
  const object = useObject(key);
  const [days, setDays] = useState<(typeof SPANS)[number]>(90);
  const { data, error, refetch, isPending } = useQuery(stageReportQuery(key, days));
  const field = findField(object, data?.process.spec.field ?? '');
  const name = (stage: string) => label(field?.options?.find((one) => one.key === stage)?.label, stage);
  const list = (where: Condition, children: string) => (
    <Link to="/o/$object" params={{ object: key }} search={{ where: encodeCondition(where) }}>
      {children}
    </Link>
  );
  const inStage = (one: StageFigures): Condition => ({ field: field?.key ?? '', op: '=', value: one.stage });
  const [behind, setBehind] = useState<BehindFigure | null>(null);
  const share = (part: number, whole: number) => (whole === 0 ? '\u2013' : fmt.percent(part / whole));
  /** A figure that opens the records behind it. */
  const open = (one: StageFigures, figure: StageFigure, count: number, text = fmt.number(count), to?: string) =>
    count === 0 ? (
      text
    ) : (
      <button
        type="button"
        className={css.figure}
        onClick={() => setBehind({ stage: one.stage, figure, count, ...(to === undefined ? {} : { to }) })}
      >
        {text}
      </button>
    );
  const way = (to: string) => (to === '' ? t('stages:report.nowhere') : name(to));
  const most = Math.max(1, ...(data?.stages.map((one) => one.now) ?? []));
  const plain = (one: StageFigures) => data?.process.spec.stages.find((stage) => stage.key === one.stage);
  return (
    <Page
      title={t('stages:report.titleOf', { name: label(object?.label, key) })}
      back={<BackLink to="/o/$object" params={{ object: key }} label={label(object?.plural, key)} />}
      actions={
        <SegmentedControl
          label={t('stages:report.span')}
          value={String(days)}
          onChange={(next) => setDays(Number(next) as (typeof SPANS)[number])}
          options={SPANS.map((span) => ({ value: String(span), label: t('stages:days', { count: span }) }))}
        />
      }
    >
      {isPending && <SkeletonRows rows={6} />}
      {error !== null && data === undefined && <ErrorState error={error} onRetry={() => refetch()} />}
      {data !== undefined && data.stages.length === 0 && <EmptyState cause="none" />}
      {data !== undefined && (
        <div className={css.panel}>
          <Table
            label={t('stages:report.title')}
            rows={data.stages}
            rowKey={(one) => one.stage}
            columns={[
              { key: 'stage', label: t('stages:report.stage'), cell: (one) => name(one.stage) },
              {
                key: 'now',
                label: t('stages:report.now'),
                cell: (one) => (
                  <span className={css.now}>
                    {list(inStage(one), fmt.number(one.now))}
                    <Progress value={one.now / most} label={t('stages:report.now')} />
                  </span>
                ),
              },
              {
                key: 'entered',
                label: t('stages:report.entered'),
                align: 'right',
                minor: true,
                cell: (one) => open(one, 'entered', one.entered),
              },
              {
                key: 'ways',
                label: t('stages:report.ways'),
                minor: true,
                cell: (one) => (
                  <span className={css.ways}>
                    {one.still > 0 && (
                      <span>
                        {t('stages:report.still')} {open(one, 'still', one.still)}
                      </span>
                    )}
                    {one.ways.map((each) => (
                      <span key={each.to}>
                        {'\u2192'} {way(each.to)} {open(one, 'way', each.count, fmt.number(each.count), each.to)}
                      </span>
                    ))}
                    {one.entered === 0 && '\u2013'}
                  </span>
                ),
              },
              {
                key: 'median',
                label: t('stages:report.median'),
                align: 'right',
                cell: (one) =>
                  one.ended === 0
                    ? '\u2013'
                    : t('stages:daysShort', { text: fmt.number(Math.round(one.median_seconds / 8640) / 10) }),
              },
              {
                key: 'advanced',
                label: t('stages:report.advanced'),
                align: 'right',
                cell: (one) => open(one, 'advanced', one.advanced, share(one.advanced, one.entered)),
              },
              {
                key: 'lost',
                label: t('stages:report.lost'),
                align: 'right',
                minor: true,
                cell: (one) => open(one, 'lost', one.lost, share(one.lost, one.entered)),
              },
              {
                key: 'stuck',
                label: t('stages:report.stuck'),
                align: 'right',
                cell: (one) => ((plain(one)?.days ?? 0) === 0 ? '\u2013' : open(one, 'stuck', one.stuck)),
              },
            ]}
          />
        </div>
      )}
      {data !== undefined && behind !== null && (
        <PassagesDialog report={data} behind={behind} name={name} way={way} onClose={() => setBehind(null)} />
      )}
      <p className="muted">{t('stages:report.note')}</p>
      {data?.partial === true && <p className="muted">{t('stages:report.partial')}</p>}
    </Page>
  );
}
