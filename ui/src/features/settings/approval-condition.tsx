import { useState } from 'react';
import type { Condition } from '@/api';
import { ConditionBuilder } from '@/records/conditions';
import { Checkbox } from '@/ui';
import css from './approvals.module.css';

interface Props {
  label: string;
  description?: string;
  object: string;
  where: Condition | undefined;
  tried: boolean;
  error: string | undefined;
  onChange: (where: Condition | undefined) => void;
}

/** A condition that may be left away. */
export function ConditionField({ label, description, object, where, tried, error, onChange }: Props) {
  const [on, setOn] = useState(where !== undefined);
  return (
    <div className={css.rows}>
      <Checkbox
        label={label}
        {...(description !== undefined && { description })}
        checked={on}
        onChange={(next) => {
          setOn(next);
          if (!next) onChange(undefined);
        }}
      />
      {on && (
        <ConditionBuilder
          key={object}
          object={object}
          where={where ?? null}
          showProblems={tried}
          onChange={(next, state) => onChange(state.complete && next !== null ? next : undefined)}
        />
      )}
      {error !== undefined && <span role="alert">{error}</span>}
    </div>
  );
}
