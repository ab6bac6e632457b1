import { IconHistory } from '@tabler/icons-react';
import { errorText, type JourneyDefinition, type JourneySimulation, useSimulateJourney } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Button, Panel, Table } from '@/ui';
import { stepIn } from './draft';
import css from './journeys.module.css';
import { useStepText } from './words';

const DAYS = 30;
const PERCENT = 100;

interface Props {
  definition: JourneyDefinition;
  id: string | undefined;
  ready: boolean;
}

/** What the journey would have done in the last days. */
export function Simulation({ definition, id, ready }: Props) {
  const { t } = useTranslation('journeys');
  const run = useSimulateJourney();
  return (
    <Panel
      title={t('journeys:simulate.title')}
      aside={
        <Button
          icon={<IconHistory size={15} />}
          disabled={!ready}
          loading={run.isPending}
          onClick={() => run.mutate({ definition, ...(id !== undefined && { id }), days: DAYS })}
        >
          {t('journeys:simulate.run')}
        </Button>
      }
    >
      <div className={css.form}>
        {run.error !== null && <p className={css.note}>{errorText(run.error)}</p>}
        {run.data === undefined ? (
          <p className={css.note}>{t('journeys:simulate.text', { days: DAYS })}</p>
        ) : (
          <Found data={run.data} definition={definition} />
        )}
      </div>
    </Panel>
  );
}

function Found({ data, definition }: { data: JourneySimulation; definition: JourneyDefinition }) {
  const { t } = useTranslation('journeys');
  const fmt = useFormat();
  const textOf = useStepText();
  const most = Math.max(1, ...data.days.map((one) => one.entered));
  const nameOf = (key: string) => {
    const step = stepIn(definition, key);
    return step === undefined
      ? key
      : step.name || [t(`journeys:kind.${step.kind}`), textOf(step)].filter((part) => part !== '').join(' ');
  };
  return (
    <>
      <p className={css.note}>{t(`journeys:simulate.past_${data.past}`)}</p>
      {data.past !== 'unknown' && (
        <>
          <p>
            {t('journeys:simulate.entries', {
              count: data.entries,
              shown: fmt.number(data.entries),
              people: fmt.number(data.people),
              from: fmt.date(data.from),
              to: fmt.date(data.to),
            })}
          </p>
          <div className={css.bars} role="img" aria-label={t('journeys:simulate.days')}>
            {data.days.map((one) => (
              <span
                key={one.day}
                style={{ height: `${(one.entered / most) * PERCENT}%` }}
                title={`${fmt.date(one.day)} ${fmt.number(one.entered)}`}
              />
            ))}
          </div>
        </>
      )}
      {data.sample > 0 && (
        <>
          <p className={css.note}>
            {t('journeys:simulate.sample', {
              count: data.sample,
              shown: fmt.number(data.sample),
              held: fmt.number(data.held),
            })}
          </p>
          <Table
            label={t('journeys:simulate.steps')}
            rows={data.steps}
            rowKey={(row) => row.step}
            columns={[
              { key: 'step', label: t('journeys:simulate.step'), cell: (row) => nameOf(row.step) },
              {
                key: 'n',
                label: t('journeys:simulate.reached'),
                align: 'right',
                cell: (row) => fmt.number(row.reached),
              },
              {
                key: 'out',
                label: t('journeys:simulate.outcomes'),
                cell: (row) =>
                  row.outcomes
                    .filter((one) => row.outcomes.length > 1 || one.outcome !== 'done')
                    .map((one) => `${wordOf(t, definition, row.step, one.outcome)} ${fmt.number(one.count)}`)
                    .join(t('journeys:comma')),
              },
            ]}
          />
        </>
      )}
    </>
  );
}

const KNOWN = [
  'done',
  'else',
  'time',
  'suppressed',
  'no_address',
  'bounced',
  'consent',
  'global_holdout',
  'cap',
  'quiet',
] as const;

function wordOf(
  t: (key: `journeys:outcome.${(typeof KNOWN)[number]}`) => string,
  definition: JourneyDefinition,
  step: string,
  outcome: string,
): string {
  const way = stepIn(definition, step)?.ways?.find((each) => each.key === outcome);
  if (way !== undefined) return way.label || outcome;
  const known = KNOWN.find((each) => each === outcome);
  return known === undefined ? outcome : t(`journeys:outcome.${known}`);
}
