import type { ObjectType, Stage } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { SYSTEM_FIELDS } from '@/metadata';
import { Button, ButtonLink, Checkbox, Drawer, MultiSelect, NumberInput, Select, TextInput } from '@/ui';
import { ConditionField } from './approval-condition';
import css from './approvals.module.css';
import { StageActs } from './object-stage-acts';

interface Props {
  object: ObjectType;
  stage: Stage;
  stages: Stage[];
  field: string;
  name: (key: string) => string;
  onChange: (stage: Stage) => void;
  onClose: () => void;
}

/** What a stage asks for before it is entered, and what happens then. */
export function GateDrawer({ object, stage, stages, field, name, onChange, onClose }: Props) {
  const { t } = useTranslation(['stages', 'common']);
  const label = useLabel();
  const set = (part: Partial<Stage>) => onChange({ ...stage, ...part });
  const fields = object.fields.filter(
    (one) =>
      !(SYSTEM_FIELDS as readonly string[]).includes(one.key) && one.key !== field && one.type !== 'relation_many',
  );
  const timed = (stage.hours ?? 0) > 0;
  return (
    <Drawer
      opened
      onClose={onClose}
      size={640}
      title={t('stages:settings.gateOf', { name: name(stage.key) })}
      footer={
        <Button kind="primary" onClick={onClose}>
          {t('stages:done')}
        </Button>
      }
    >
      <div className={css.rows}>
        <MultiSelect
          label={t('stages:settings.needs')}
          description={t('stages:settings.needsHelp')}
          searchable
          options={fields.map((one) => ({ value: one.key, label: label(one.label, one.key) }))}
          value={stage.fields ?? []}
          onChange={(next) => set({ fields: next })}
        />
        <ConditionField
          label={t('stages:settings.where')}
          object={object.key}
          where={stage.where}
          tried={false}
          error={undefined}
          onChange={(where) => {
            const { where: _, ...rest } = stage;
            onChange(where === undefined ? rest : { ...rest, where });
          }}
        />
        {stage.where !== undefined && (
          <TextInput
            label={t('stages:settings.message')}
            value={stage.message ?? ''}
            maxLength={500}
            onChange={(message) => set({ message })}
          />
        )}
        <Checkbox label={t('stages:settings.task')} checked={stage.task ?? false} onChange={(task) => set({ task })} />
        <Checkbox label={t('stages:settings.file')} checked={stage.file ?? false} onChange={(file) => set({ file })} />
        <p className="muted">{t('stages:settings.approvalHint')}</p>
        <ButtonLink to="/settings/approvals">{t('stages:settings.approvals')}</ButtonLink>
        <StageActs
          title={t('stages:settings.entry')}
          acts={stage.entry ?? []}
          object={object}
          stageField={field}
          onChange={(entry) => set({ entry })}
        />
        <StageActs
          title={t('stages:settings.exit')}
          acts={stage.exit ?? []}
          object={object}
          stageField={field}
          onChange={(exit) => set({ exit })}
        />
        <div className={css.two}>
          <NumberInput
            label={t('stages:settings.hours')}
            description={t('stages:settings.hoursHelp')}
            min={0}
            max={8760}
            value={stage.hours ?? 0}
            onChange={(hours) => {
              const { hours: _, next, ...rest } = stage;
              const first = stages.find((one) => one.key !== stage.key)?.key ?? '';
              onChange(hours === null || hours === 0 ? rest : { ...rest, hours, next: next ?? first });
            }}
          />
          {timed && (
            <Select
              label={t('stages:settings.next')}
              options={stages
                .filter((one) => one.key !== stage.key)
                .map((one) => ({ value: one.key, label: name(one.key) }))}
              value={stage.next ?? null}
              onChange={(next) => next !== null && set({ next })}
            />
          )}
        </div>
      </div>
    </Drawer>
  );
}
