import { IconLock } from '@tabler/icons-react';
import { lazy, Suspense } from 'react';
import type { Condition, FieldCondition, Operator, Segment, SegmentCondition, TraitCondition } from '@/api';
import { emptyOperand, OperandEditor, operandShape, operatorKey, operatorsOf } from '@/fields';
import { labelText, useTranslation } from '@/i18n';
import { Select, Skeleton } from '@/ui';
import { Sentence } from '../sentence';
import {
  isEvent,
  isField,
  isLifecycle,
  isList,
  isRandom,
  isRecord,
  isSegment,
  isSequence,
  isTop,
  isTrait,
} from '../tree';
import css from './builder.module.css';
import { RandomLeaf, TopLeaf } from './people-leaves';
import { RecordLeaf } from './record-leaf';
import { useScope } from './scope';
import { fieldOf } from './subjects';

// What people did is asked seldom: lists and filters do not carry its editors.
const BehaviourLeaf = lazy(() => import('./behaviour-leaf').then((module) => ({ default: module.BehaviourLeaf })));

interface OperatorProps {
  operators: readonly Operator[];
  op: Operator;
  nameOf: (op: Operator) => string;
  onChange: (op: Operator) => void;
}
export function OperatorSelect({ operators, op, nameOf, onChange }: OperatorProps) {
  const { t } = useTranslation('conditions');
  const shown = operators.includes(op) ? operators : [...operators, op];
  return (
    <div className={css.operator}>
      <Select
        aria-label={t('conditions:operator')}
        options={shown.map((name) => ({ value: name, label: nameOf(name) }))}
        value={op}
        onChange={(next) => next !== null && onChange(next as Operator)}
      />
    </div>
  );
}

interface CompareProps<C extends FieldCondition | TraitCondition> {
  condition: C;
  onChange: (condition: C) => void;
}

/** Operator and value of a field or trait. A value survives a new operator when its shape stays the same. */
function CompareLeaf<C extends FieldCondition | TraitCondition>({ condition, onChange }: CompareProps<C>) {
  const { t } = useTranslation(['conditions', 'fields']);
  const scope = useScope();
  const field = fieldOf(condition, scope);
  if (field === null) return <span className={css.broken}>{t('conditions:problem.unknown_field')}</span>;
  const setOp = (op: Operator) => {
    const kept =
      operandShape(op, field) === operandShape(condition.op, field) ? condition.value : emptyOperand(op, field);
    onChange({ ...condition, op, value: kept as never });
  };
  return (
    <>
      <OperatorSelect
        operators={operatorsOf(field)}
        op={condition.op}
        nameOf={(op) => t(operatorKey(op, field)) as string}
        onChange={setOp}
      />
      <OperandEditor
        field={field}
        op={condition.op}
        value={condition.value}
        onChange={(value) => onChange({ ...condition, value: value as never })}
        label={labelText(field.label, scope.context.language, field.key)}
      />
    </>
  );
}

function SegmentLeaf({
  condition,
  onChange,
}: {
  condition: SegmentCondition;
  onChange: (condition: SegmentCondition) => void;
}) {
  const { t } = useTranslation('conditions');
  const { segments } = useScope();
  return (
    <>
      <div className={css.operator}>
        <Select
          aria-label={t('conditions:operator')}
          options={[
            { value: 'in', label: t('conditions:segment.in') },
            { value: 'not_in', label: t('conditions:segment.notIn') },
          ]}
          value={condition.op}
          onChange={(op) => onChange({ ...condition, op: op === 'not_in' ? 'not_in' : 'in' })}
        />
      </div>
      <div className={css.segment}>
        <Select
          aria-label={t('conditions:kind.segment')}
          options={segments.map((segment) => ({ value: segment.key, label: segment.label }))}
          value={condition.segment || null}
          onChange={(segment) => onChange({ ...condition, segment: segment ?? '' })}
          searchable
        />
      </div>
    </>
  );
}

interface Props {
  condition: Condition;
  onChange: (condition: Condition) => void;
}

/** A form that is made elsewhere: said in words, kept whole, and removed with its row. */
function SaidLeaf({ condition }: { condition: Condition }) {
  const { t } = useTranslation('conditions');
  const { object } = useScope();
  return (
    <span className={css.said} title={t('conditions:saidHelp')}>
      <IconLock size={13} aria-hidden />
      <Sentence object={object?.key ?? ''} condition={condition} />
    </span>
  );
}

/** Whether a row is made of a subject that can be picked and an editor for it. A list is chosen among the segments that one sees. */
export const isEditable = (condition: Condition, segments: readonly Segment[]): boolean =>
  [isField, isTrait, isRecord, isSegment, isRandom, isTop, isEvent, isSequence, isLifecycle].some((is) =>
    is(condition),
  ) ||
  (isList(condition) && segments.some(({ key }) => key === condition.list));

/** Everything right of the subject. Forms this interface does not edit are said in words. */
export function LeafEditor({ condition, onChange }: Props) {
  const { segments } = useScope();
  if (isField(condition) || isTrait(condition)) return <CompareLeaf condition={condition} onChange={onChange} />;
  if (isRecord(condition)) return <RecordLeaf condition={condition} onChange={onChange} />;
  if (isSegment(condition)) return <SegmentLeaf condition={condition} onChange={onChange} />;
  if (isList(condition) && isEditable(condition, segments))
    return <SegmentLeaf condition={{ segment: condition.list, op: condition.op ?? 'in' }} onChange={onChange} />;
  if (isRandom(condition)) return <RandomLeaf condition={condition} onChange={onChange} />;
  if (isTop(condition)) return <TopLeaf condition={condition} onChange={onChange} />;
  if (isEvent(condition) || isSequence(condition) || isLifecycle(condition))
    return (
      <Suspense fallback={<Skeleton width={240} height={32} />}>
        <BehaviourLeaf condition={condition} onChange={onChange} />
      </Suspense>
    );
  return <SaidLeaf condition={condition} />;
}
