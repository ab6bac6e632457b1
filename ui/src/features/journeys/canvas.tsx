import { IconBolt, IconPlus } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import {
  JOURNEY_STEPS,
  type JourneyCounts,
  type JourneyDefinition,
  type JourneyProblem,
  type JourneyStep,
  type JourneyStepKind,
} from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { IconButton, Menu } from '@/ui';
import { type Drawn, drawnFrom, type Place, stepIn } from './draft';
import css from './journeys.module.css';
import { ICONS, useStepText, useTriggerText, useWayText } from './words';

interface Props {
  definition: JourneyDefinition;
  problems: readonly JourneyProblem[];
  /** What is published: its messages have reports of their own. */
  inForce: JourneyDefinition | undefined;
  counts: JourneyCounts | undefined;
  disabled: boolean;
  onInsert: (place: Place, kind: JourneyStepKind) => void;
  onOpen: (key: string) => void;
  onPeople: (step: string) => void;
}

const UNTIL = new Set(['left', 'failed', 'stopped']);

/** The journey from top to bottom: what lets people in, the steps, ways beside each other; between any two another step can be put. */
export function Canvas(props: Props) {
  const { t } = useTranslation('journeys');
  const triggerText = useTriggerText();
  const faults = props.problems.filter((one) => one.step === '');
  return (
    <section aria-label={t('journeys:canvas')}>
      <div className={cx(css.card, faults.length > 0 && css.wrong)}>
        <button type="button" className={css.title} onClick={() => props.onOpen('')}>
          <span className={css.icon}>
            <IconBolt size={16} />
          </span>
          <span className={css.words}>
            <strong>{t(`journeys:trigger.${props.definition.trigger.kind || 'none'}`)}</strong>
            <span className="muted">{triggerText(props.definition.trigger)}</span>
          </span>
        </button>
        <Faults list={faults} />
      </div>
      <Chain {...props} list={drawnFrom(props.definition)} />
    </section>
  );
}

function Faults({ list }: { list: readonly JourneyProblem[] }) {
  if (list.length === 0) return null;
  return (
    <ul className={css.faults}>
      {[...new Set(list.map((one) => one.message))].map((message) => (
        <li key={message}>{message}</li>
      ))}
    </ul>
  );
}

function Chain({ list, ...props }: Props & { list: readonly Drawn[] }) {
  const { t } = useTranslation('journeys');
  const textOf = useStepText();
  return (
    <ol className={css.flow}>
      {list.map((one, index) => (
        <li key={one.step?.key ?? `${one.place.from}.${one.place.way ?? ''}.${index}`}>
          {props.disabled ? <div className={css.line1} /> : <Add place={one.place} onInsert={props.onInsert} />}
          {one.step !== undefined && <Card {...props} drawn={one} step={one.step} />}
          {one.jump !== undefined && (
            <p className={css.jump}>
              {t('journeys:jump', {
                name: nameOf(props.definition, one.jump, t, textOf),
              })}
            </p>
          )}
        </li>
      ))}
    </ol>
  );
}

function nameOf(
  d: JourneyDefinition,
  key: string,
  t: (key: `journeys:kind.${JourneyStepKind}`) => string,
  textOf: (step: JourneyStep) => string,
): string {
  const step = stepIn(d, key);
  if (step === undefined) return key;
  return step.name ?? [t(`journeys:kind.${step.kind}`), textOf(step)].filter((part) => part !== '').join(' ');
}

function Add({ place, onInsert }: { place: Place; onInsert: Props['onInsert'] }) {
  const { t } = useTranslation('journeys');
  return (
    <div className={css.add}>
      <Menu
        target={<IconButton label={t('journeys:insert')} icon={<IconPlus size={15} />} tooltip={false} />}
        entries={JOURNEY_STEPS.map((kind) => ({
          label: t(`journeys:kind.${kind}`),
          icon: ICONS[kind],
          onSelect: () => onInsert(place, kind),
        }))}
      />
    </div>
  );
}

function Card({ drawn, step, ...props }: Props & { drawn: Drawn; step: JourneyStep }) {
  const { t } = useTranslation('journeys');
  const fmt = useFormat();
  const textOf = useStepText();
  const wayOf = useWayText();
  const faults = props.problems.filter((one) => one.step === step.key);
  const count = props.counts?.steps.find((one) => one.step === step.key);
  const passed = (count?.outcomes ?? []).filter((one) => !UNTIL.has(one.outcome));
  const others = (count?.outcomes ?? []).filter((one) => UNTIL.has(one.outcome));
  const run = props.inForce === undefined ? undefined : stepIn(props.inForce, step.key)?.run;
  const sum = passed.reduce((all, one) => all + one.count, 0);
  return (
    <>
      <section className={cx(css.card, faults.length > 0 && css.wrong)} aria-label={t(`journeys:kind.${step.kind}`)}>
        <button type="button" className={css.title} onClick={() => props.onOpen(step.key)} data-step={step.key}>
          <span className={css.icon}>{ICONS[step.kind]}</span>
          <span className={css.words}>
            <strong>{step.name || t(`journeys:kind.${step.kind}`)}</strong>
            <span className="muted">{textOf(step)}</span>
          </span>
        </button>
        {count !== undefined && (
          <div className={css.counts}>
            {step.kind === 'exit' ? (
              <span>{t('journeys:count.ended', { count: sum, shown: fmt.number(sum) })}</span>
            ) : (
              <>
                <button type="button" className={css.link} onClick={() => props.onPeople(step.key)}>
                  {t('journeys:count.waiting', { count: count.waiting, shown: fmt.number(count.waiting) })}
                </button>
                <span>{t('journeys:count.passed', { count: sum, shown: fmt.number(sum) })}</span>
                {others.map((one) => (
                  <span key={one.outcome}>
                    {t(`journeys:count.${one.outcome as 'left' | 'failed' | 'stopped'}`, {
                      count: one.count,
                      shown: fmt.number(one.count),
                    })}
                  </span>
                ))}
                {run !== undefined && (
                  <Link to="/campaigns/$id" params={{ id: run }} className={css.link}>
                    {t('journeys:report')}
                  </Link>
                )}
              </>
            )}
          </div>
        )}
        <Faults list={faults} />
      </section>
      {drawn.side !== undefined && (
        <div className={css.side}>
          <span>
            {wayOf(step, drawn.side.way)}
            {t('journeys:colon')}
            {t('journeys:jump', { name: nameOf(props.definition, drawn.side.to, t, textOf) })}
          </span>
          {!props.disabled && <Add place={drawn.side.place} onInsert={props.onInsert} />}
          <span>{wayOf(step, drawn.main?.way)}</span>
        </div>
      )}
      {drawn.arms !== undefined && (
        <div className={css.arms}>
          {drawn.arms.map((arm) => (
            <div key={arm.way ?? 'else'} className={css.arm}>
              <p className={css.armName}>{wayOf(step, arm.way)}</p>
              <Chain {...props} list={arm.list} />
            </div>
          ))}
        </div>
      )}
    </>
  );
}
