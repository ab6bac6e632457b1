import type { Automation, Field, ObjectType, RunState } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { canRead } from '@/metadata';
import { Pill } from '@/ui';

const RUN_COLOR: { [K in RunState]: string } = {
  ready: 'blue',
  waiting: 'blue',
  done: 'green',
  stopped: 'gray',
  failed: 'red',
  looped: 'amber',
  cancelled: 'gray',
};
export function RunPill({ state }: { state: RunState }) {
  const { t } = useTranslation('automations');
  return <Pill color={RUN_COLOR[state]}>{t(`automations:run.${state}`)}</Pill>;
}

const STATE_COLOR = { on: 'green', off: 'gray', paused: 'amber' } as const;
export function StatePill({ rule }: { rule: Automation }) {
  const { t } = useTranslation('automations');
  return <Pill color={STATE_COLOR[rule.state]}>{t(`automations:state.${rule.state}`)}</Pill>;
}

export const optionsOf = (fields: readonly Field[], label: (text: Field['label'], key: string) => string) =>
  fields.map((field) => ({ value: field.key, label: label(field.label, field.key) }));

/** Fields that a rule may write. */
export const writable = (object: ObjectType | undefined, creating: boolean): Field[] =>
  (object?.fields ?? []).filter(
    (field) =>
      canRead(field) &&
      !field.read_only &&
      field.formula === undefined &&
      field.rollup === undefined &&
      field.type !== 'relation_many' &&
      field.type !== 'auto_number' &&
      field.type !== 'json' &&
      !['id', 'created_at', 'updated_at', 'created_by', 'updated_by'].includes(field.key) &&
      (creating || !field.operation_only),
  );

/** Names of what a text may show: own fields, and those of records that relations lead to; without personal ones where all read it. */
export function usePlaces(object: ObjectType | undefined, objects: readonly ObjectType[], open = false) {
  const label = useLabel();
  const shows = (field: Field) => canRead(field) && field.type !== 'relation_many' && !(open && field.personal);
  const own = (object?.fields ?? []).filter(shows);
  return own.flatMap((field) => {
    const name = label(field.label, field.key);
    const target = field.type === 'relation' ? objects.find(({ key }) => key === field.target) : undefined;
    const further = (target?.fields ?? [])
      .filter(shows)
      .map((each) => ({ value: `${field.key}.${each.key}`, label: `${name} › ${label(each.label, each.key)}` }));
    return [{ value: field.key, label: name }, ...further];
  });
}
