import { IconArrowDown, IconArrowUp, IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import {
  classificationsQuery,
  WEB_OPS,
  type WebFunnel,
  type WebMatch,
  type WebOp,
  type WebStep,
  webEventsQuery,
  webPagesQuery,
} from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, IconButton, NumberInput, Select, TextInput } from '@/ui';
import { NameSelect } from './name-select';
import { useWeb } from './search';
import css from './web.module.css';

export const PAGE_VIEWED = 'Page Viewed';
const VIEWS = new Set([PAGE_VIEWED, 'Screen Viewed']);
const MAX_STEPS = 8;
const MAX_MATCHES = 5;
const CHOICES = 200;

/** Names of events and pages of the span, to choose from. */
export function useNames(): { events: string[]; pages: string[] } {
  const { ask } = useWeb();
  const all = { ...ask, filter: {}, goal: '' };
  const events = useQuery(webEventsQuery(all, CHOICES));
  const pages = useQuery(webPagesQuery(all, CHOICES));
  return {
    events: (events.data?.items ?? []).map((one) => one.name),
    pages: (pages.data?.items ?? []).map((one) => one.path).filter((path) => path !== ''),
  };
}

function Match({
  match,
  onChange,
  onDrop,
}: {
  match: WebMatch;
  onChange: (next: WebMatch) => void;
  onDrop: () => void;
}) {
  const { t } = useTranslation('web');
  return (
    <div className={css.match}>
      <TextInput
        aria-label={t('web:property')}
        placeholder={t('web:property')}
        value={match.property}
        onChange={(property) => onChange({ ...match, property })}
      />
      <Select
        aria-label={t('web:comparison')}
        value={match.op}
        onChange={(op) => op !== null && onChange({ ...match, op: op as WebOp })}
        options={WEB_OPS.map((op) => ({ value: op as string, label: t(`web:op.${WEB_OPS.indexOf(op)}`) }))}
      />
      {match.op === 'is_set' ? (
        <span />
      ) : (
        <TextInput
          aria-label={t('web:value_of')}
          placeholder={t('web:value_of')}
          value={match.value ?? ''}
          onChange={(value) => onChange({ ...match, value })}
        />
      )}
      <IconButton size="sm" label={t('web:dropCondition')} icon={<IconTrash size={14} />} onClick={onDrop} />
    </div>
  );
}

interface StepProps {
  step: WebStep;
  at: number;
  names: { events: string[]; pages: string[] };
  onChange: (next: WebStep) => void;
  move: (by: number) => void;
  last: boolean;
  onDrop: (() => void) | undefined;
}

function Step({ step, at, names, onChange, move, last, onDrop }: StepProps) {
  const { t } = useTranslation('web');
  const where = step.where ?? [];
  return (
    <li className={css.step}>
      <span className={css.stepNumber}>{at + 1}</span>
      <div>
        <NameSelect
          label={t('web:stepEvent', { number: at + 1 })}
          hideLabel
          placeholder={t('web:event')}
          value={step.event}
          names={[...new Set([PAGE_VIEWED, ...names.events])]}
          onChange={(event) => onChange({ event, where, ...(VIEWS.has(event) && { path: step.path ?? '' }) })}
        />
      </div>
      <div>
        {VIEWS.has(step.event) && (
          <NameSelect
            label={t('web:stepPath', { number: at + 1 })}
            hideLabel
            clearable
            placeholder={t('web:anyPage')}
            value={step.path ?? ''}
            names={names.pages}
            onChange={(path) => onChange({ ...step, path })}
          />
        )}
      </div>
      <div className={css.matches}>
        {where.map((match, index) => (
          <Match
            key={index}
            match={match}
            onChange={(next) => onChange({ ...step, where: where.with(index, next) })}
            onDrop={() => onChange({ ...step, where: where.toSpliced(index, 1) })}
          />
        ))}
        {where.length < MAX_MATCHES && (
          <span>
            <Button
              kind="subtle"
              icon={<IconPlus size={14} />}
              onClick={() => onChange({ ...step, where: [...where, { property: '', op: '=', value: '' }] })}
            >
              {t('web:addCondition')}
            </Button>
          </span>
        )}
      </div>
      <span className={css.stepButtons}>
        <IconButton
          size="sm"
          label={t('web:stepUp')}
          icon={<IconArrowUp size={14} />}
          disabled={at === 0}
          onClick={() => move(-1)}
        />
        <IconButton
          size="sm"
          label={t('web:stepDown')}
          icon={<IconArrowDown size={14} />}
          disabled={last}
          onClick={() => move(1)}
        />
        <IconButton
          size="sm"
          label={t('web:dropStep')}
          icon={<IconTrash size={14} />}
          disabled={onDrop === undefined}
          onClick={() => onDrop?.()}
        />
      </span>
    </li>
  );
}

const SPLITS = ['channel', 'device', 'campaign', 'country', 'region', 'entry'] as const;

/** The steps of a funnel, its window and what it is split by. */
export function FunnelForm({ draft, onChange }: { draft: WebFunnel; onChange: (next: WebFunnel) => void }) {
  const { t } = useTranslation('web');
  const label = useLabel();
  const can = useCan();
  const names = useNames();
  const classes = useQuery({ ...classificationsQuery(), enabled: can('segment.read') });
  const { steps } = draft;
  const move = (at: number, by: number) => {
    const step = steps[at];
    if (step !== undefined) onChange({ ...draft, steps: steps.toSpliced(at, 1).toSpliced(at + by, 0, step) });
  };
  return (
    <>
      <ol className={css.steps}>
        {steps.map((step, at) => (
          <Step
            key={at}
            step={step}
            at={at}
            names={names}
            last={at === steps.length - 1}
            move={(by) => move(at, by)}
            onChange={(next) => onChange({ ...draft, steps: steps.with(at, next) })}
            onDrop={steps.length > 2 ? () => onChange({ ...draft, steps: steps.toSpliced(at, 1) }) : undefined}
          />
        ))}
      </ol>
      <div className={css.form}>
        <Button
          icon={<IconPlus size={15} />}
          disabled={steps.length >= MAX_STEPS}
          onClick={() => onChange({ ...draft, steps: [...steps, { event: '' }] })}
        >
          {t('web:addStep')}
        </Button>
        <NumberInput
          label={t('web:window')}
          value={draft.window_days}
          min={1}
          max={365}
          onChange={(next) => onChange({ ...draft, window_days: next ?? 1 })}
        />
        <Select
          label={t('web:splitBy')}
          clearable
          placeholder={t('web:notSplit')}
          value={draft.by === undefined || draft.by === '' ? null : draft.by}
          onChange={(by) => onChange({ ...draft, by: by ?? '' })}
          options={[
            ...SPLITS.map((key) => ({ value: key as string, label: t(`web:dimension.${key}`) })),
            ...(classes.data?.items ?? []).map((one) => ({
              value: `class:${one.key}`,
              label: label(one.label, one.key),
            })),
          ]}
        />
      </div>
    </>
  );
}
