import { IconPlus, IconX } from '@tabler/icons-react';
import type {
  Condition,
  DeedStep,
  EventCondition,
  LifecycleCondition,
  LifecycleRows,
  SequenceCondition,
  Window,
} from '@/api';
import { useTranslation } from '@/i18n';
import { Button, IconButton, Select } from '@/ui';
import { lifecycle, lifecycleKind, lifecycleRows, lifecycleWindow } from '../events';
import { isEvent, isSequence } from '../tree';
import css from './behaviour.module.css';
import { EventLeaf } from './event-leaf';
import { EventSelect } from './event-select';
import { PropertyRows } from './property-rows';
import { RowsSource, RowsWhere } from './rows-of';
import { useScope } from './scope';
import { WindowEditor } from './window-editor';

const MOST_STEPS = 10;

function Step({ step, at, onChange }: { step: DeedStep; at: number; onChange: (step: DeedStep) => void }) {
  const { t } = useTranslation('behaviour');
  return (
    <>
      <EventSelect
        label={t('behaviour:sequence.step', { n: at + 1 })}
        value={step.event}
        onChange={(event) => onChange({ event })}
      />
      <PropertyRows
        event={step.event}
        where={step.where}
        onChange={(where) => onChange(where === undefined ? { event: step.event } : { ...step, where })}
      />
    </>
  );
}

function SequenceLeaf({
  condition,
  onChange,
}: {
  condition: SequenceCondition;
  onChange: (condition: Condition) => void;
}) {
  const { t } = useTranslation(['behaviour', 'common']);
  const { readOnly } = useScope();
  const { sequence, op = 'did', within } = condition;
  const set = (steps: DeedStep[]) => onChange({ ...condition, sequence: steps });
  return (
    <>
      <div className={css.did}>
        <Select
          aria-label={t('behaviour:sequence.label')}
          value={op}
          options={[
            { value: 'did', label: t('behaviour:sequence.did') },
            { value: 'did_not', label: t('behaviour:sequence.didNot') },
          ]}
          onChange={(next) => onChange({ ...condition, op: next === 'did_not' ? 'did_not' : 'did' })}
        />
      </div>
      <WindowEditor
        value={within}
        onChange={(next) => {
          const { within: _, ...rest } = condition;
          onChange(next === undefined ? rest : { ...rest, within: next });
        }}
      />
      <ol className={css.steps}>
        {sequence.map((step, at) => (
          <li key={at} className={css.step}>
            <span className={css.place}>{at + 1}</span>
            <Step
              step={step}
              at={at}
              onChange={(next) => set(sequence.map((other, place) => (place === at ? next : other)))}
            />
            {sequence.length > 2 && !readOnly && (
              <IconButton
                label={t('behaviour:sequence.remove')}
                icon={<IconX size={14} />}
                onClick={() => set(sequence.filter((_, place) => place !== at))}
              />
            )}
          </li>
        ))}
      </ol>
      {sequence.length < MOST_STEPS && !readOnly && (
        <Button kind="subtle" icon={<IconPlus size={14} />} onClick={() => set([...sequence, { event: '' }])}>
          {t('behaviour:sequence.add')}
        </Button>
      )}
    </>
  );
}

/** "for the first time", "not any more", "again": of events or of records. */
function LifecycleLeaf({
  condition,
  onChange,
}: {
  condition: LifecycleCondition;
  onChange: (condition: Condition) => void;
}) {
  const { t } = useTranslation('behaviour');
  const kind = lifecycleKind(condition);
  const rows = lifecycleRows(condition);
  const window = lifecycleWindow(condition) ?? { days: 30 };
  const set = (next: LifecycleRows, span: Window = window) => onChange(lifecycle(kind, next, span));
  return (
    <>
      <RowsSource rows={rows} onChange={set} />
      <span className={css.word}>{t(`behaviour:lifecycle.${kind}`)}</span>
      <WindowEditor
        value={window}
        only={kind === 'first' ? 'any' : 'length'}
        onChange={(next) => next !== undefined && set(rows, next)}
      />
      <RowsWhere rows={rows} onChange={set} />
    </>
  );
}

interface Props {
  condition: EventCondition | SequenceCondition | LifecycleCondition;
  onChange: (condition: Condition) => void;
}

/** What people did: an event, several in their order, for the first time, not any more, again. */
export function BehaviourLeaf({ condition, onChange }: Props) {
  if (isEvent(condition)) return <EventLeaf condition={condition} onChange={onChange} />;
  if (isSequence(condition)) return <SequenceLeaf condition={condition} onChange={onChange} />;
  return <LifecycleLeaf condition={condition} onChange={onChange} />;
}
