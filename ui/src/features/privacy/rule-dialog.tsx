import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import {
  type Condition,
  errorText,
  isApiError,
  previewRule,
  type RetentionInput,
  type RetentionRule,
  useDeleteRule,
  useSaveRule,
} from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useObjects } from '@/metadata';
import { ConditionBuilder } from '@/records/conditions';
import { Button, Checkbox, Modal, NumberInput, Select, Switch, TextInput, toast } from '@/ui';
import css from './privacy.module.css';

interface Props {
  rule: RetentionRule | undefined;
  onClose: () => void;
}

/** A rule of retention; how many records it would take now is asked before it is switched on. */
export function RuleDialog({ rule, onClose }: Props) {
  const { t } = useTranslation(['privacy', 'common']);
  const label = useLabel();
  const objects = useObjects();
  const save = useSaveRule();
  const remove = useDeleteRule();
  const look = useMutation({ mutationFn: previewRule });
  const [name, setName] = useState(rule?.name ?? '');
  const [object, setObject] = useState(rule?.object ?? 'customer');
  const [months, setMonths] = useState<number | null>(rule?.months ?? 36);
  const [basis, setBasis] = useState<string>(rule?.basis ?? 'activity');
  const [where, setWhere] = useState<Condition | null>(rule?.where ?? null);
  const [complete, setComplete] = useState(true);
  const [conditional, setConditional] = useState(rule?.where != null);
  const [active, setActive] = useState(rule?.active ?? false);
  const input: RetentionInput = { object, name: name.trim(), months: months ?? 0, basis, where, active };
  const fault = (field: string) => (isApiError(save.error) ? save.error.at(field) : undefined);
  const whole = isApiError(save.error) && save.error.fields.length === 0 ? save.error.message : null;
  const submit = async () => {
    if (!complete) return;
    try {
      await save.mutateAsync(rule === undefined ? { input } : { id: rule.id, version: rule.version, input });
      toast.ok(t('common:saved'));
      onClose();
    } catch {
      // Shown at its field.
    }
  };
  const drop = async () => {
    if (rule === undefined) return;
    try {
      await remove.mutateAsync(rule.id);
      onClose();
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    }
  };
  const changed = () => look.reset();
  return (
    <Modal
      opened
      onClose={onClose}
      size={620}
      title={rule === undefined ? t('privacy:retention.add') : rule.name}
      footer={
        <>
          {rule !== undefined && (
            <Button kind="danger" loading={remove.isPending} onClick={() => void drop()}>
              {t('common:delete')}
            </Button>
          )}
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" loading={save.isPending} disabled={!complete} onClick={() => void submit()}>
            {t('common:save')}
          </Button>
        </>
      }
    >
      <div className={css.form}>
        <TextInput
          label={t('privacy:retention.name')}
          required
          value={name}
          onChange={setName}
          maxLength={100}
          error={fault('name')}
        />
        <Select
          label={t('privacy:retention.object')}
          searchable
          disabled={rule !== undefined}
          options={objects.map((each) => ({ value: each.key, label: label(each.plural, each.key) }))}
          value={object}
          onChange={(key) => {
            if (key === null) return;
            setObject(key);
            setWhere(null);
            setConditional(false);
            setComplete(true);
            changed();
          }}
          error={fault('object')}
        />
        <div className={css.pair}>
          <NumberInput
            label={t('privacy:retention.after')}
            suffix={t('privacy:retention.unit')}
            min={1}
            max={600}
            value={months}
            onChange={(value) => {
              setMonths(value);
              changed();
            }}
            error={fault('months')}
          />
          <Select
            label={t('privacy:retention.since')}
            options={['activity', 'created'].map((value) => ({ value, label: t(`privacy:basis.${value}`) }))}
            value={basis}
            onChange={(value) => {
              if (value !== null) setBasis(value);
              changed();
            }}
          />
        </div>
        <Checkbox
          label={t('privacy:retention.conditional')}
          checked={conditional}
          onChange={(on) => {
            setConditional(on);
            changed();
            if (!on) {
              setWhere(null);
              setComplete(true);
            }
          }}
        />
        {conditional && (
          <ConditionBuilder
            key={object}
            object={object}
            where={where}
            showProblems={save.isError}
            faults={[]}
            onChange={(next, state) => {
              setWhere(next);
              setComplete(state.complete);
              changed();
            }}
          />
        )}
        <div className={css.head}>
          <Button
            loading={look.isPending}
            disabled={!complete || months === null}
            onClick={() => look.mutate({ object, months: months ?? 0, basis, where })}
          >
            {t('privacy:retention.look')}
          </Button>
          {look.error !== null && <span className={css.bad}>{errorText(look.error)}</span>}
        </div>
        {look.data !== undefined && (
          <p className={css.found} role="status">
            {t(`privacy:retention.found.${look.data.action}`, { count: look.data.found })}{' '}
            {look.data.held > 0 && t('privacy:retention.held', { count: look.data.held })}
          </p>
        )}
        <Switch
          label={t('privacy:retention.active')}
          description={t('privacy:retention.activeHelp')}
          checked={active}
          onChange={setActive}
        />
        {whole !== null && (
          <p className={css.bad} role="alert">
            {whole}
          </p>
        )}
      </div>
    </Modal>
  );
}
