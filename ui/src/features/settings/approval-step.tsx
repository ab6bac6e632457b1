import { IconArrowDown, IconArrowUp, IconTrash } from '@tabler/icons-react';
import {
  APPROVAL_MODES,
  type ApprovalMode,
  LATE_KINDS,
  type LateKind,
  NOBODY_KINDS,
  type NobodyKind,
  type ObjectType,
  type ProcessStep,
} from '@/api';
import { useTranslation } from '@/i18n';
import { IconButton, NumberInput, Select, TextInput } from '@/ui';
import { Approvers } from './approval-approvers';
import { ConditionField } from './approval-condition';
import css from './approvals.module.css';

interface Props {
  step: ProcessStep;
  at: number;
  count: number;
  object: ObjectType | undefined;
  recordless: boolean;
  tried: boolean;
  errorAt: (place: string) => string | undefined;
  onChange: (step: ProcessStep) => void;
  onMove: (by: number) => void;
  onRemove: () => void;
}

/** One stop on the way: who is asked, when it is taken, how several decide, and what happens when it is late. */
export function StepEditor({ step, at, count, object, recordless, tried, errorAt, onChange, onMove, onRemove }: Props) {
  const { t } = useTranslation('approvals');
  const set = (part: Partial<ProcessStep>) => onChange({ ...step, ...part });
  return (
    <section className={css.step} aria-label={t('approvals:step.number', { number: at + 1 })}>
      <div className={css.stepHead}>
        <strong>{t('approvals:step.number', { number: at + 1 })}</strong>
        {at > 0 && (
          <IconButton label={t('approvals:step.up')} icon={<IconArrowUp size={15} />} onClick={() => onMove(-1)} />
        )}
        {at < count - 1 && (
          <IconButton label={t('approvals:step.down')} icon={<IconArrowDown size={15} />} onClick={() => onMove(1)} />
        )}
        {count > 1 && (
          <IconButton label={t('approvals:step.remove')} icon={<IconTrash size={15} />} onClick={onRemove} />
        )}
      </div>
      <TextInput
        label={t('approvals:step.name')}
        value={step.name}
        maxLength={100}
        required
        error={errorAt('name')}
        onChange={(name) => set({ name })}
      />
      <Approvers
        label={t('approvals:step.who')}
        list={step.who}
        object={object}
        recordless={recordless}
        errorAt={(place) => errorAt(place === '' ? 'who' : `who.${place}`)}
        onChange={(who) => set({ who })}
      />
      <div className={css.two}>
        <Select
          label={t('approvals:step.mode')}
          options={APPROVAL_MODES.map((mode) => ({ value: mode, label: t(`approvals:mode.${mode}`) }))}
          value={step.mode}
          error={errorAt('mode')}
          onChange={(mode) => mode !== null && set({ mode: mode as ApprovalMode })}
        />
        <Select
          label={t('approvals:step.nobody')}
          options={NOBODY_KINDS.map((kind) => ({ value: kind, label: t(`approvals:nobody.${kind}`) }))}
          value={step.nobody ?? 'administrators'}
          error={errorAt('nobody')}
          onChange={(nobody) => nobody !== null && set({ nobody: nobody as NobodyKind })}
        />
        <NumberInput
          label={t('approvals:step.hours')}
          description={t('approvals:step.hoursHelp')}
          min={0}
          max={8760}
          value={step.hours ?? 0}
          error={errorAt('hours')}
          onChange={(hours) => {
            const { hours: _, late, escalate, ...rest } = step;
            onChange(
              hours === null || hours === 0
                ? rest
                : { ...rest, hours, late: late ?? 'remind', ...(escalate && { escalate }) },
            );
          }}
        />
        {(step.hours ?? 0) > 0 && (
          <Select
            label={t('approvals:step.late')}
            options={LATE_KINDS.map((kind) => ({ value: kind, label: t(`approvals:late.${kind}`) }))}
            value={step.late ?? 'remind'}
            error={errorAt('late')}
            onChange={(late) => late !== null && set({ late: late as LateKind })}
          />
        )}
      </div>
      {step.late === 'escalate' && (
        <Approvers
          label={t('approvals:step.escalate')}
          list={step.escalate ?? []}
          object={object}
          recordless={recordless}
          errorAt={(place) => errorAt(place === '' ? 'escalate' : `escalate.${place}`)}
          onChange={(escalate) => set({ escalate })}
        />
      )}
      {!recordless && object !== undefined && (
        <ConditionField
          label={t('approvals:step.conditional')}
          object={object.key}
          where={step.where}
          tried={tried}
          error={errorAt('where')}
          onChange={(where) => {
            const { where: _, ...rest } = step;
            onChange(where === undefined ? rest : { ...rest, where });
          }}
        />
      )}
    </section>
  );
}
