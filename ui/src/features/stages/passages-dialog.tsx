import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type BehindFigure, PASSAGES, type StageReport, stagePassagesQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Button, ErrorState, Modal, SkeletonRows, Table } from '@/ui';
import css from './report.module.css';

interface Props {
  report: StageReport;
  behind: BehindFigure;
  /** What a stage is called. */
  name: (stage: string) => string;
  way: (to: string) => string;
  onClose: () => void;
}

/** Exactly the records that a figure of the report counts, with when they came and where they went. */
export function PassagesDialog({ report, behind, name, way, onClose }: Props) {
  const { t } = useTranslation(['stages', 'common']);
  const fmt = useFormat();
  const [offset, setOffset] = useState(0);
  const { data, error, refetch, isFetching } = useQuery(stagePassagesQuery(report, behind, offset));
  const what =
    behind.figure === 'way'
      ? t('stages:report.behindWay', { stage: name(behind.stage), to: way(behind.to ?? '') })
      : t(`stages:report.behind.${behind.figure}`, { stage: name(behind.stage) });
  const total = data?.total ?? behind.count;
  return (
    <Modal opened onClose={onClose} title={what} size={720}>
      <p className="muted">{t('stages:report.records', { count: total })}</p>
      {error !== null && data === undefined && <ErrorState error={error} onRetry={() => refetch()} compact />}
      {data === undefined && error === null && <SkeletonRows rows={5} />}
      {data !== undefined && (
        <Table
          label={what}
          rows={data.items}
          rowKey={(one) => one.record.id}
          columns={[
            {
              key: 'record',
              label: t('stages:report.record'),
              cell: (one) => (
                <Link to="/o/$object/$id" params={{ object: report.process.object, id: one.record.id }}>
                  {one.record.title || one.record.id}
                </Link>
              ),
            },
            { key: 'entered', label: t('stages:report.enteredAt'), cell: (one) => fmt.datetime(one.entered_at) },
            {
              key: 'left',
              label: t('stages:report.leftAt'),
              minor: true,
              cell: (one) => (one.left_at === null ? '\u2013' : fmt.datetime(one.left_at)),
            },
            {
              key: 'next',
              label: t('stages:report.next'),
              cell: (one) => (one.left_at === null ? t('stages:report.still') : way(one.next ?? '')),
            },
          ]}
        />
      )}
      {total > PASSAGES && (
        <div className={css.pages}>
          <span className="muted">
            {t('stages:report.shown', {
              from: fmt.number(offset + 1),
              to: fmt.number(Math.min(offset + PASSAGES, total)),
              total: fmt.number(total),
            })}
          </span>
          <Button disabled={offset === 0} loading={isFetching} onClick={() => setOffset(offset - PASSAGES)}>
            {t('stages:report.before')}
          </Button>
          <Button
            disabled={offset + PASSAGES >= total}
            loading={isFetching}
            onClick={() => setOffset(offset + PASSAGES)}
          >
            {t('stages:report.after')}
          </Button>
        </div>
      )}
    </Modal>
  );
}
