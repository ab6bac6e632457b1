import { IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import {
  type FieldTest,
  type ObjectType,
  type Operator,
  segmentsQuery,
  TRIGGERS,
  type Trigger,
  type TriggerKind,
  type ValueTest,
} from '@/api';
import { emptyOperand, OperandEditor, operatorKey, operatorsOf } from '@/fields';
import { useLabel, useTranslation } from '@/i18n';
import { canRead, findField, SYSTEM_FIELDS } from '@/metadata';
import { Checkbox, IconButton, NumberInput, SegmentedControl, Select, TextInput } from '@/ui';
import css from './automations.module.css';
import { type Fault, faultAt, faultsAt, newTrigger } from './draft';
import { optionsOf } from './parts';

interface Props {
  object: ObjectType | undefined;
  trigger: Trigger;
  faults: readonly Fault[];
  onChange: (trigger: Trigger) => void;
}

/** Only customers come into segments. */
const crossing = (kind: TriggerKind): boolean => kind === 'enters' || kind === 'leaves';

/** When a rule begins. */
export function TriggerEditor({ object, trigger, faults, onChange }: Props) {
  const { t } = useTranslation('automations');
  return (
    <div className={css.form}>
      <div className={css.narrow}>
        <Select
          label={t('automations:trigger.label')}
          options={TRIGGERS.filter((kind) => !crossing(kind) || object?.key === 'customer').map((kind) => ({
            value: kind,
            label: t(`automations:trigger.${kind}`),
          }))}
          value={trigger.kind}
          onChange={(kind) => kind !== null && kind !== trigger.kind && onChange(newTrigger(kind as TriggerKind))}
          error={faultAt(faults, 'kind')}
        />
      </div>
      <p className="muted">{t(`automations:triggerHelp.${trigger.kind}`)}</p>
      <Details object={object} trigger={trigger} faults={faults} onChange={onChange} />
    </div>
  );
}

function Details(props: Props) {
  switch (props.trigger.kind) {
    case 'changed':
      return <Changes {...props} />;
    case 'date':
      return <DateDetails {...props} />;
    case 'schedule':
      return <Calendar {...props} />;
    case 'enters':
    case 'leaves':
      return <Segments {...props} />;
    case 'hook':
      return <Hook {...props} />;
    default:
      return null;
  }
}

function Segments({ trigger, faults, onChange }: Props) {
  const { t } = useTranslation('automations');
  const segments = useQuery(segmentsQuery()).data?.items ?? [];
  return (
    <div className={css.narrow}>
      <Select
        label={t('automations:trigger.segment')}
        searchable
        options={segments.filter(({ kind }) => kind === 'dynamic').map(({ key, label }) => ({ value: key, label }))}
        value={trigger.segment || null}
        onChange={(segment) => onChange({ ...trigger, segment: segment ?? '' })}
        error={faultAt(faults, 'segment')}
      />
    </div>
  );
}

function Time({ trigger, faults, onChange }: Props) {
  const { t } = useTranslation('automations');
  return (
    <div className={css.small}>
      <TextInput
        type="time"
        label={t('automations:trigger.at')}
        value={trigger.at ?? '09:00'}
        onChange={(at) => onChange({ ...trigger, at })}
        error={faultAt(faults, 'at')}
      />
    </div>
  );
}

function DateDetails(props: Props) {
  const { object, trigger, faults, onChange } = props;
  const { t } = useTranslation('automations');
  const label = useLabel();
  const fields = (object?.fields ?? []).filter(
    ({ type, formula }) => formula === undefined && (type === 'date' || type === 'datetime' || type === 'birthday'),
  );
  const birthday = findField(object, trigger.field ?? '')?.type === 'birthday';
  return (
    <>
      <div className={css.inlineForm}>
        <Select
          label={t('automations:trigger.field')}
          searchable
          options={optionsOf(fields, label)}
          value={trigger.field || null}
          onChange={(key) => {
            const yearly = findField(object, key ?? '')?.type === 'birthday';
            onChange({ ...trigger, field: key ?? '', yearly: yearly || trigger.yearly === true });
          }}
          error={faultAt(faults, 'field')}
        />
        <div className={css.small}>
          <NumberInput
            label={t('automations:trigger.days')}
            value={Math.abs(trigger.days ?? 0)}
            min={0}
            max={366}
            decimals={0}
            onChange={(days) => onChange({ ...trigger, days: (days ?? 0) * ((trigger.days ?? 0) < 0 ? -1 : 1) })}
            error={faultAt(faults, 'days')}
          />
        </div>
        <SegmentedControl
          label={t('automations:trigger.side')}
          value={(trigger.days ?? 0) < 0 ? 'before' : 'after'}
          onChange={(side) =>
            onChange({ ...trigger, days: Math.abs(trigger.days ?? 0) * (side === 'before' ? -1 : 1) || 0 })
          }
          options={[
            { value: 'before', label: t('automations:trigger.before'), disabled: (trigger.days ?? 0) === 0 },
            { value: 'after', label: t('automations:trigger.after') },
          ]}
        />
        <Time {...props} />
      </div>
      <Checkbox
        label={t('automations:trigger.yearly')}
        checked={trigger.yearly === true}
        disabled={birthday}
        onChange={(yearly) => onChange({ ...trigger, yearly })}
      />
    </>
  );
}

const WEEK = [1, 2, 3, 4, 5, 6, 7] as const;

function Calendar(props: Props) {
  const { trigger, faults, onChange } = props;
  const { t } = useTranslation('automations');
  const days = trigger.weekdays ?? [];
  return (
    <>
      <div className={css.inlineForm}>
        <SegmentedControl
          label={t('automations:trigger.every')}
          value={trigger.every ?? 'day'}
          onChange={(every) =>
            onChange({
              kind: 'schedule',
              every,
              at: trigger.at ?? '09:00',
              ...(every === 'week' && { weekdays: [1] }),
              ...(every === 'month' && { month_day: 1 }),
            })
          }
          options={(['day', 'week', 'month'] as const).map((each) => ({
            value: each,
            label: t(`automations:trigger.each.${each}`),
          }))}
        />
        {trigger.every === 'month' && (
          <div className={css.small}>
            <NumberInput
              label={t('automations:trigger.monthDay')}
              value={trigger.month_day ?? 1}
              min={1}
              max={31}
              decimals={0}
              onChange={(day) => onChange({ ...trigger, month_day: day ?? 1 })}
              error={faultAt(faults, 'month_day')}
            />
          </div>
        )}
        <Time {...props} />
      </div>
      {trigger.every === 'week' && (
        <fieldset className={css.days}>
          <legend>{t('automations:trigger.weekdays')}</legend>
          {WEEK.map((day) => (
            <Checkbox
              key={day}
              label={t(`automations:weekday.${day}`)}
              checked={days.includes(day)}
              onChange={(on) =>
                onChange({ ...trigger, weekdays: WEEK.filter((each) => (each === day ? on : days.includes(each))) })
              }
            />
          ))}
          {faultAt(faults, 'weekdays') !== undefined && (
            <p className={css.fault} role="alert">
              {faultAt(faults, 'weekdays')}
            </p>
          )}
        </fieldset>
      )}
    </>
  );
}

function Hook({ object, trigger, faults, onChange }: Props) {
  const { t } = useTranslation('automations');
  const label = useLabel();
  const unique = (object?.fields ?? []).filter((field) => field.unique && field.key !== 'id');
  return (
    <div className={css.inlineForm}>
      <Select
        label={t('automations:trigger.match')}
        options={[{ value: 'id', label: t('automations:trigger.id') }, ...optionsOf(unique, label)]}
        value={trigger.match ?? 'id'}
        onChange={(match) => onChange({ ...trigger, match: match ?? 'id' })}
        error={faultAt(faults, 'match')}
      />
      <TextInput
        label={t('automations:trigger.path')}
        placeholder="customer.phone"
        value={trigger.path ?? ''}
        onChange={(path) => onChange({ ...trigger, path })}
        error={faultAt(faults, 'path')}
      />
    </div>
  );
}

/** Which fields must have changed, from what and to what. */
function Changes({ object, trigger, faults, onChange }: Props) {
  const { t } = useTranslation('automations');
  const label = useLabel();
  const changes = trigger.changes ?? [];
  const fields = (object?.fields ?? []).filter(
    (field) =>
      canRead(field) &&
      field.formula === undefined &&
      field.rollup === undefined &&
      field.type !== 'relation_many' &&
      !(SYSTEM_FIELDS as readonly string[]).includes(field.key),
  );
  const set = (next: FieldTest[]) => onChange({ ...trigger, changes: next });
  return (
    <div className={css.values}>
      {changes.map((change, at) => (
        <ChangeRow
          key={change.field}
          object={object}
          change={change}
          faults={faultsAt(faults, `changes.${at}`)}
          onChange={(next) => set(changes.map((each, other) => (other === at ? next : each)))}
          onRemove={() => set(changes.filter((_, other) => other !== at))}
        />
      ))}
      <div className={css.addValue}>
        <Select
          aria-label={t('automations:trigger.addField')}
          placeholder={t(changes.length === 0 ? 'automations:trigger.anyField' : 'automations:trigger.addField')}
          searchable
          options={optionsOf(
            fields.filter((field) => !changes.some((each) => each.field === field.key)),
            label,
          )}
          value={null}
          onChange={(key) => key !== null && set([...changes, { field: key }])}
        />
      </div>
    </div>
  );
}

interface RowProps {
  object: ObjectType | undefined;
  change: FieldTest;
  faults: readonly Fault[];
  onChange: (change: FieldTest) => void;
  onRemove: () => void;
}

function ChangeRow({ object, change, faults, onChange, onRemove }: RowProps) {
  const { t } = useTranslation(['automations', 'fields']);
  const label = useLabel();
  const field = findField(object, change.field);
  const name = label(field?.label, change.field);
  if (field === undefined) return null;
  const side = (which: 'from' | 'to') => {
    const test = change[which];
    const put = (next: ValueTest | undefined) => {
      const { [which]: _, ...rest } = change;
      onChange(next === undefined ? rest : { ...rest, [which]: next });
    };
    return (
      <div className={css.side}>
        <div className={css.mode}>
          <Select
            aria-label={t(`automations:trigger.${which}Of`, { name })}
            options={[
              { value: 'any', label: t(`automations:trigger.${which}Any`) },
              ...operatorsOf(field).map((op) => ({
                value: op,
                label: `${t(`automations:trigger.${which}`)} ${t(operatorKey(op, field))}`,
              })),
            ]}
            value={test?.op ?? 'any'}
            onChange={(op) =>
              put(
                op === null || op === 'any'
                  ? undefined
                  : { op: op as Operator, value: emptyOperand(op as Operator, field) },
              )
            }
          />
        </div>
        {test !== undefined && (
          <OperandEditor
            field={field}
            op={test.op}
            value={test.value}
            label={name}
            onChange={(value) => put({ op: test.op, value })}
          />
        )}
      </div>
    );
  };
  return (
    <div className={css.change}>
      <strong className={css.valueName}>{name}</strong>
      {!field.personal && side('from')}
      {!field.personal && side('to')}
      <IconButton label={t('automations:value.remove', { name })} icon={<IconTrash size={15} />} onClick={onRemove} />
      {faults.length > 0 && (
        <p className={css.fault} role="alert">
          {faults.map(({ message }) => message).join(' ')}
        </p>
      )}
    </div>
  );
}
