import { useState } from 'react';
import type { Condition } from '@/api';
import { useTranslation } from '@/i18n';
import { ConditionBuilder } from '@/records/conditions';
import { Switch } from '@/ui';
import css from './object.module.css';
import { isComputed } from './object-draft';
import type { FormProps } from './object-field-form';

type Member = 'shown_when' | 'required_when';

interface OneProps extends FormProps {
  member: Member;
}

/** One condition: off, or built from the fields of the record and of what it points at. */
function One({ object, draft, member, onChange, objections }: OneProps) {
  const { t } = useTranslation('layout');
  const [on, setOn] = useState(draft[member] !== null);
  const set = (where: Condition | null) =>
    onChange(member === 'shown_when' ? { shown_when: where } : { required_when: where });
  const error = objections.within(member);
  return (
    <div>
      <Switch
        label={t(`layout:condition.${member}`)}
        description={t(`layout:condition.${member}Help`)}
        checked={on}
        onChange={(next) => {
          setOn(next);
          if (!next) set(null);
        }}
      />
      {on && (
        <div className={css.condition}>
          <ConditionBuilder object={object.key} where={draft[member]} onChange={set} />
        </div>
      )}
      {error !== undefined && (
        <p className={css.fault} role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

/** When a field is shown, and when it must be filled in. */
export function FieldConditions(props: FormProps) {
  const { draft } = props;
  const fillable = !isComputed(draft) && draft.type !== 'auto_number' && draft.type !== 'relation_many';
  return (
    <div className={css.rules}>
      <One {...props} member="shown_when" />
      {fillable && !draft.required && <One {...props} member="required_when" />}
    </div>
  );
}
