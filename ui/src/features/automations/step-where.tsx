import type { Condition } from '@/api';
import { ConditionBuilder } from '@/records/conditions';
import css from './automations.module.css';
import { faultsAt } from './draft';
import type { StepProps } from './step-types';

export function WhereForm(props: StepProps) {
  const { step, onChange } = props;
  return (
    <Where
      {...props}
      where={step.where ?? null}
      at="where"
      onWhere={(where) => {
        const { where: _, ...rest } = step;
        onChange(where === undefined ? rest : { ...rest, where });
      }}
    />
  );
}

interface WhereProps extends StepProps {
  where: Condition | null;
  at: string;
  onWhere: (where: Condition | undefined) => void;
}

export function Where({ definition, faults, tried, where, at, onWhere }: WhereProps) {
  const own = faultsAt(faults, at);
  const missing = where === null ? own.find(({ location }) => location === '') : undefined;
  return (
    <>
      <ConditionBuilder
        key={definition.object}
        object={definition.object}
        where={where}
        showProblems={tried}
        faults={own}
        onChange={(next) => onWhere(next ?? undefined)}
      />
      {missing !== undefined && (
        <p className={css.fault} role="alert">
          {missing.message}
        </p>
      )}
    </>
  );
}
