import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { type LifecycleReport, type LifecycleStage, lifecycleQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { StagePlays } from '@/records/actions/stage-plays';
import { encodeCondition } from '@/records/conditions';
import { BackLink, ButtonLink, Closed, EmptyState, ErrorState, Page, Panel, SkeletonRows } from '@/ui';
import { Halves, Stack, Toolbar } from '@/ui/figures';
import { totalOf, useDays } from './ask';
import { Goals } from './goals';
import css from './lifecycle.module.css';
import { People, type Who } from './people';
import { StayCurve } from './stay-curve';

interface PartProps {
  report: LifecycleReport;
  stage: LifecycleStage;
}

function Ways({ report, stage, open }: PartProps & { open: (who: Who) => void }) {
  const { t } = useTranslation('lifecycle');
  const fmt = useFormat();
  const label = useLabel();
  const name = (key: string) =>
    key === '' ? t('lifecycle:newcomers') : label(report.stages.find((one) => one.key === key)?.label, key);
  const list = (way: 'from' | 'to') => {
    const other = way === 'from' ? 'to' : 'from';
    const found = report.flows
      .filter((flow) => flow[other] === stage.key && flow[way] !== stage.key)
      .toSorted((left, right) => right.count - left.count);
    return (
      <div>
        <h3 className={css.sub}>{t(`lifecycle:ways.${way}`)}</h3>
        {found.length === 0 && <p className="muted">{t('lifecycle:ways.none')}</p>}
        <ul className={css.flows}>
          {found.map((flow) => (
            <li key={flow[way]}>
              <span>{name(flow[way])}</span>
              <button
                type="button"
                className={css.link}
                aria-label={t('lifecycle:flowOf', {
                  from: name(flow.from),
                  to: name(flow.to),
                  count: flow.count,
                  shown: fmt.number(flow.count),
                })}
                onClick={() =>
                  open({
                    title: t('lifecycle:flowTitle', { from: name(flow.from), to: name(flow.to) }),
                    behind: {
                      figure: 'flow',
                      from: flow.from,
                      to: flow.to,
                      begin: report.from ?? '',
                      end: report.to ?? '',
                    },
                  })
                }
              >
                {fmt.number(flow.count)}
              </button>
            </li>
          ))}
        </ul>
      </div>
    );
  };
  return (
    <Panel
      title={t('lifecycle:ways.title')}
      aside={<span>{t('lifecycle:between', { from: fmt.date(report.from), to: fmt.date(report.to) })}</span>}
    >
      <Halves>
        {list('from')}
        {list('to')}
      </Halves>
    </Panel>
  );
}

function Stage({ report, stage }: PartProps) {
  const { t } = useTranslation('lifecycle');
  const fmt = useFormat();
  const days = useDays();
  const [who, setWho] = useState<Who | null>(null);
  const facts = [
    ['now', fmt.number(stage.now), t('lifecycle:ofAll', { share: fmt.percent(stage.now / totalOf(report.stages)) })],
    ['entered', fmt.number(stage.entered), t('lifecycle:inSpan')],
    ['left', fmt.number(stage.left), t('lifecycle:inSpan')],
    [
      'median',
      days(stage.median),
      t('lifecycle:quartiles', { low: days(stage.quarter), high: days(stage.three_quarters) }),
    ],
  ] as const;
  return (
    <Stack>
      <div className={css.facts}>
        {facts.map(([key, value, note]) => (
          <section key={key} className={css.fact} aria-label={t(`lifecycle:column.${key}`)}>
            <h2 className={css.factName}>{t(`lifecycle:column.${key}`)}</h2>
            <div className={css.factValue}>{value}</div>
            <p className={css.factNote}>{note}</p>
          </section>
        ))}
      </div>
      <Halves>
        <StayCurve stage={stage} />
        <Ways report={report} stage={stage} open={setWho} />
      </Halves>
      <Goals report={report} only={stage.key} />
      <StagePlays stage={stage.key} />
      <Toolbar>
        <ButtonLink to="/settings/automations">{t('lifecycle:automations')}</ButtonLink>
        <ButtonLink
          to="/segments/new"
          search={{ where: encodeCondition({ trait: report.classification, op: '=', value: stage.key }) } as never}
        >
          {t('lifecycle:makeSegment')}
        </ButtonLink>
      </Toolbar>
      {who !== null && <People classification={report.classification} who={who} onClose={() => setWho(null)} />}
    </Stack>
  );
}

/** One stage: who is in it, how long they stay, where they come from and go. */
export function StagePage() {
  const { t } = useTranslation('lifecycle');
  const label = useLabel();
  const can = useCan();
  const { stage: key = '' } = useParams({ strict: false });
  const allowed = can('segment.read');
  const { data, error, refetch, isPending } = useQuery({
    ...lifecycleQuery({ classification: 'lifecycle', from: '', to: '', within: 90, by: 'month' }),
    enabled: allowed,
  });
  const stage = data?.stages.find((one) => one.key === key);
  return (
    <Page
      title={stage === undefined ? t('lifecycle:title') : label(stage.label, stage.key)}
      back={<BackLink to="/lifecycle" label={t('lifecycle:title')} />}
      actions={
        stage !== undefined && (
          <ButtonLink
            to="/o/$object"
            params={{ object: 'customer' }}
            search={{ where: encodeCondition({ trait: 'lifecycle', op: '=', value: stage.key }) }}
          >
            {t('lifecycle:showAll')}
          </ButtonLink>
        )
      }
    >
      {!allowed && <Closed cause="no_permission" />}
      {allowed && isPending && <SkeletonRows rows={8} />}
      {error !== null && data === undefined && <ErrorState error={error} onRetry={() => refetch()} />}
      {data?.known === false && (
        <EmptyState cause="none" title={t('lifecycle:notKnown')} text={t('lifecycle:notKnownText')} />
      )}
      {data?.known === true && stage === undefined && <Closed cause="not_found" />}
      {data !== undefined && stage !== undefined && (
        <>
          {stage.sentence !== undefined && <p className="muted">{label(stage.sentence)}</p>}
          <Stage report={data} stage={stage} />
        </>
      )}
    </Page>
  );
}
