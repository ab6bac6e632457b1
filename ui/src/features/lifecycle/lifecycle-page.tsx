import { IconTemplate } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type LifecycleReport, lifecycleQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, ButtonLink, Closed, EmptyState, ErrorState, Page, Panel, SegmentedControl, SkeletonRows } from '@/ui';
import { StackedArea, Swatch } from '@/ui/chart';
import { Halves, Stack, Toolbar } from '@/ui/figures';
import { SPANS, useAsk } from './ask';
import { Cohorts } from './cohorts';
import { Funnel } from './funnel';
import { Goals } from './goals';
import css from './lifecycle.module.css';
import { Matrix } from './matrix';
import { People, type Who } from './people';
import { Stages } from './stages';
import { Templates } from './templates';

/** Since when stages are known, and how. */
function Since({ report }: { report: LifecycleReport }) {
  const { t } = useTranslation('lifecycle');
  const fmt = useFormat();
  return (
    <p className={css.note}>
      {report.replayed === undefined
        ? t('lifecycle:since', { day: fmt.date(report.since) })
        : t('lifecycle:replayed', { day: fmt.date(report.since), until: fmt.date(report.replayed) })}
    </p>
  );
}

function Sizes({ report }: { report: LifecycleReport }) {
  const { t } = useTranslation('lifecycle');
  const fmt = useFormat();
  const label = useLabel();
  return (
    <Panel title={t('lifecycle:sizes')}>
      <StackedArea
        label={t('lifecycle:sizesLabel')}
        format={(value) => fmt.number(Math.round(value))}
        titles={report.sizes.map((one) => fmt.date(one.day))}
        shorts={report.sizes.map((one) => fmt.shortDate(one.day))}
        layers={report.stages.toReversed().map((stage) => ({
          key: stage.key,
          label: label(stage.label, stage.key),
          color: stage.color,
          values: report.sizes.map((one) => one.counts[stage.key] ?? 0),
        }))}
      />
      <div className={css.legend}>
        {report.stages.map((stage) => (
          <Swatch key={stage.key} color={stage.color}>
            {label(stage.label, stage.key)}
          </Swatch>
        ))}
      </div>
    </Panel>
  );
}

function Report({ anchor }: { anchor: LifecycleReport }) {
  const { t } = useTranslation('lifecycle');
  const { ask, days, go } = useAsk(anchor.now);
  const { data, error, isPlaceholderData, refetch } = useQuery(lifecycleQuery(ask));
  const [who, setWho] = useState<Who | null>(null);
  if (data === undefined)
    return error === null ? <SkeletonRows rows={8} /> : <ErrorState error={error} onRetry={() => refetch()} />;
  return (
    <Stack dim={isPlaceholderData}>
      <Toolbar>
        <SegmentedControl
          label={t('lifecycle:span')}
          value={String(days)}
          onChange={(next) => go({ days: Number(next) })}
          options={SPANS.map((span) => ({ value: String(span), label: t('lifecycle:lastDays', { count: span }) }))}
        />
        <Since report={data} />
      </Toolbar>
      <Stages report={data} open={setWho} />
      <Halves>
        <Funnel report={data} go={go} />
        <Goals report={data} />
      </Halves>
      <Matrix report={data} open={setWho} />
      <Halves>
        <Cohorts report={data} go={go} open={setWho} />
        <Sizes report={data} />
      </Halves>
      {who !== null && <People classification={data.classification} who={who} onClose={() => setWho(null)} />}
    </Stack>
  );
}

/** Where customers stand, how they got there and where they go. */
export function LifecyclePage() {
  const { t } = useTranslation('lifecycle');
  const can = useCan();
  const allowed = can('segment.read');
  const [choosing, setChoosing] = useState(false);
  // The first answer says which day the figures go by; what is asked for then ends with it.
  const first = useQuery({
    ...lifecycleQuery({ classification: 'lifecycle', from: '', to: '', within: 90, by: 'month' }),
    enabled: allowed,
  });
  return (
    <Page
      title={t('lifecycle:title')}
      actions={
        allowed && (
          <>
            <ButtonLink to="/classifications/$key" params={{ key: 'lifecycle' }}>
              {t('lifecycle:rules')}
            </ButtonLink>
            {can('classification.write') && (
              <Button icon={<IconTemplate size={15} />} onClick={() => setChoosing(true)}>
                {t('lifecycle:templates')}
              </Button>
            )}
          </>
        )
      }
    >
      {!allowed && <Closed cause="no_permission" />}
      {allowed && first.isPending && <SkeletonRows rows={8} />}
      {first.error !== null && first.data === undefined && (
        <ErrorState error={first.error} onRetry={() => first.refetch()} />
      )}
      {first.data?.known === false && (
        <EmptyState cause="none" title={t('lifecycle:notKnown')} text={t('lifecycle:notKnownText')} />
      )}
      {first.data?.known === true && <Report anchor={first.data} />}
      {choosing && <Templates onClose={() => setChoosing(false)} />}
    </Page>
  );
}
