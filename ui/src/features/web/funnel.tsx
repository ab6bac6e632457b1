import { IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { classificationsQuery, type WebFunnel, type WebReached, type WebStep, webFunnelQuery } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { saveCsv } from '@/lib/csv';
import { Button, EmptyState, ErrorState, IconButton, Panel, Skeleton, Table } from '@/ui';
import { Stack } from '@/ui/figures';
import { Behind } from './figure-table';
import { FunnelForm, PAGE_VIEWED } from './funnel-form';
import { KeptFunnels } from './funnel-kept';
import { useWeb } from './search';
import css from './web.module.css';
import { useNumbers, useValueName } from './words';

const START: WebFunnel = { steps: [{ event: PAGE_VIEWED, path: '' }, { event: '' }], window_days: 7, by: '' };

const isFunnel = (value: WebFunnel | undefined): value is WebFunnel =>
  Array.isArray(value?.steps) && value.steps.every((step) => typeof step?.event === 'string');

/** What is asked for: no empty parts. */
const clean = (draft: WebFunnel): WebFunnel => ({
  window_days: draft.window_days,
  by: draft.by ?? '',
  steps: draft.steps.map((step) => ({
    event: step.event.trim(),
    path: step.path?.trim() ?? '',
    where: (step.where ?? []).filter((match) => match.property.trim() !== ''),
  })),
});

function useStepName(): (step: WebStep) => string {
  const { t } = useTranslation('web');
  return (step) => {
    const path = step.path === undefined || step.path === '' ? '' : ` ${step.path}`;
    const where =
      (step.where ?? []).length === 0 ? '' : ` (${t('web:conditions', { count: step.where?.length ?? 0 })})`;
    return `${step.event}${path}${where}`;
  };
}

function useGroupName(by: string): (value: string) => string {
  const value = useValueName();
  const label = useLabel();
  const key = by.startsWith('class:') ? by.slice(6) : '';
  const classes = useQuery({ ...classificationsQuery(), enabled: key !== '' });
  if (key === '') return (name) => value(by, name);
  const found = classes.data?.items.find((one) => one.key === key);
  return (name) => label(found?.classes.find((one) => one.key === name)?.label, name) || value(by, '');
}

function Steps({ funnel, steps }: { funnel: WebFunnel; steps: readonly WebReached[] }) {
  const { t } = useTranslation('web');
  const { number, share, seconds } = useNumbers();
  const { go } = useWeb();
  const name = useStepName();
  const first = steps[0]?.count ?? 0;
  return (
    <ol className={css.funnel} aria-label={t('web:tab.funnel')}>
      {steps.map((reached, at) => {
        const step = funnel.steps[at];
        const before = steps[at - 1];
        const lost = before === undefined ? 0 : before.count - reached.count;
        return (
          <li key={reached.step}>
            {before !== undefined && (
              <div className={css.between}>
                {t('web:betweenSteps', { time: reached.count === 0 ? '\u2013' : seconds(reached.median_seconds) })}
                {lost > 0 && (
                  <>
                    {' \u00b7 '}
                    <Behind
                      label={t('web:showPeople')}
                      onOpen={() => go({ who: { behind: { figure: 'step', funnel, step: at, lost: true } } }, true)}
                    >
                      {t('web:lostHere', { shown: number(lost), share: share(lost, before.count) })}
                    </Behind>
                  </>
                )}
              </div>
            )}
            <div className={css.funnelStep}>
              <span className="truncate" title={step === undefined ? '' : name(step)}>
                {reached.step}. {step === undefined ? '' : name(step)}
              </span>
              <span className={css.funnelBar} aria-hidden>
                <span style={{ width: `${first === 0 ? 0 : (reached.count / first) * 100}%` }} />
              </span>
              <span className={css.funnelFigures}>
                <Behind
                  label={t('web:showPeople')}
                  onOpen={() => go({ who: { behind: { figure: 'step', funnel, step: reached.step } } }, true)}
                >
                  <strong>{number(reached.count)}</strong>
                </Behind>
                <span>{share(reached.count, first)}</span>
                {at > 0 && (
                  <span className={css.quiet}>
                    {t('web:ofBefore', { share: share(reached.count, before?.count ?? 0) })}
                  </span>
                )}
              </span>
            </div>
          </li>
        );
      })}
    </ol>
  );
}

function Split({ funnel, groups }: { funnel: WebFunnel; groups: readonly WebReached[] }) {
  const { t } = useTranslation('web');
  const { number, share } = useNumbers();
  const { go } = useWeb();
  const nameOf = useGroupName(funnel.by ?? '');
  const counts = new Map(groups.map((one) => [`${one.step} ${one.group ?? ''}`, one.count]));
  const names = [...new Set(groups.map((one) => one.group ?? ''))];
  const at = (step: number, group: string) => counts.get(`${step} ${group}`) ?? 0;
  return (
    <Panel flush title={t('web:bySplit')}>
      <Table
        label={t('web:bySplit')}
        rows={names.map((group) => ({ group }))}
        rowKey={(row) => row.group}
        columns={[
          { key: 'group', label: t('web:group'), cell: (row) => nameOf(row.group) },
          ...funnel.steps.map((_, index) => ({
            key: String(index),
            label: `${index + 1}`,
            align: 'right' as const,
            minor: index > 0 && index < funnel.steps.length - 1,
            cell: (row: { group: string }) => (
              <>
                <Behind
                  label={t('web:showPeople')}
                  onOpen={() =>
                    go({ who: { behind: { figure: 'step', funnel, step: index + 1, group: row.group } } }, true)
                  }
                >
                  {number(at(index + 1, row.group))}
                </Behind>
                {index > 0 && <div className={css.quiet}>{share(at(index + 1, row.group), at(1, row.group))}</div>}
              </>
            ),
          })),
        ]}
      />
    </Panel>
  );
}

function Result({ funnel }: { funnel: WebFunnel }) {
  const { t } = useTranslation('web');
  const { ask } = useWeb();
  const name = useStepName();
  const { data, error, refetch, isPlaceholderData } = useQuery(webFunnelQuery(ask, funnel));
  if (data === undefined)
    return error === null ? <Skeleton height={220} /> : <ErrorState compact error={error} onRetry={() => refetch()} />;
  const none = (data.steps[0]?.count ?? 0) === 0;
  const steps = data.steps.slice(0, funnel.steps.length);
  return (
    <Stack dim={isPlaceholderData}>
      <Panel
        title={t('web:funnelResult')}
        aside={
          <IconButton
            label={t('web:csv')}
            icon={<IconDownload size={16} />}
            onClick={() =>
              saveCsv(
                `funnel-${ask.from}-${ask.to}`,
                [t('web:group'), t('web:step'), t('web:event'), t('web:term.visitors'), t('web:medianSeconds')],
                [...steps, ...data.groups].map((one) => {
                  const step = funnel.steps[one.step - 1];
                  return [
                    one.group ?? '',
                    one.step,
                    step === undefined ? '' : name(step),
                    one.count,
                    one.median_seconds,
                  ];
                }),
              )
            }
          />
        }
      >
        {none ? (
          <EmptyState compact cause="no_match" title={t('web:nothing')} text={t('web:nobodyBegan')} />
        ) : (
          <Steps funnel={funnel} steps={steps} />
        )}
        <p className="muted">{t('web:means.funnel', { count: funnel.window_days })}</p>
      </Panel>
      {data.groups.length > 0 && <Split funnel={funnel} groups={data.groups} />}
    </Stack>
  );
}

/** How far people come through a row of events. */
export function Funnel() {
  const { t } = useTranslation('web');
  const { search, go } = useWeb();
  const shown = isFunnel(search.funnel) ? search.funnel : undefined;
  const [draft, setDraft] = useState<WebFunnel>(shown ?? START);
  const [chosen, setChosen] = useState<string | null>(null);
  const ready = draft.steps.every((step) => step.event.trim() !== '');
  return (
    <>
      <Panel
        title={t('web:funnelSteps')}
        aside={
          <KeptFunnels
            draft={clean(draft)}
            chosen={chosen}
            onChoose={(one) => {
              setChosen(one?.id ?? null);
              if (one === null) return;
              setDraft(one.funnel);
              go({ funnel: clean(one.funnel) });
            }}
          />
        }
      >
        <Stack>
          <FunnelForm draft={draft} onChange={setDraft} />
          <span>
            <Button kind="primary" disabled={!ready} onClick={() => go({ funnel: clean(draft) })}>
              {t('web:show')}
            </Button>
          </span>
        </Stack>
      </Panel>
      {shown !== undefined && <Result funnel={clean(shown)} />}
    </>
  );
}
