import { IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { type Condition, WEBHOOK_AROUND, WEBHOOK_KINDS, type WebhookKind } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { findObject, SYSTEM_FIELDS, useObjects } from '@/metadata';
import { ConditionBuilder } from '@/records/conditions';
import { Checkbox, IconButton, MultiSelect, Select } from '@/ui';
import css from './webhooks.module.css';

export interface RuleDraft {
  id: number;
  object: string;
  kinds: WebhookKind[];
  where: Condition | null;
  complete: boolean;
  fields: string[];
}

const ALL: readonly WebhookKind[] = [...WEBHOOK_KINDS, ...WEBHOOK_AROUND];
const GROUPS = [
  ['kinds', WEBHOOK_KINDS],
  ['around', WEBHOOK_AROUND],
] as const;

interface Props {
  rule: RuleDraft;
  tried: boolean;
  faults: readonly { location: string; message: string }[];
  onChange: (rule: RuleDraft) => void;
  onRemove?: (() => void) | undefined;
}

/** Events of one object: which kinds, under which condition, and for updates which fields must have changed. */
export function RuleEditor({ rule, tried, faults, onChange, onRemove }: Props) {
  const { t } = useTranslation('webhooks');
  const label = useLabel();
  const objects = useObjects();
  const [conditional, setConditional] = useState(rule.where !== null);
  const object = findObject(objects, rule.object);
  const toggle = (kind: WebhookKind, on: boolean) =>
    onChange({ ...rule, kinds: ALL.filter((each) => (each === kind ? on : rule.kinds.includes(each))) });
  const told = faults.filter(({ location }) => !location.startsWith('where'));
  return (
    <div className={css.rule}>
      <div className={css.ruleHead}>
        <Select
          label={t('webhooks:rule.object')}
          searchable
          options={objects.map((each) => ({ value: each.key, label: label(each.label, each.key) }))}
          value={rule.object}
          onChange={(key) => {
            if (key === null || key === rule.object) return;
            setConditional(false);
            onChange({ ...rule, object: key, where: null, complete: true, fields: [] });
          }}
        />
        {onRemove !== undefined && (
          <IconButton label={t('webhooks:rule.remove')} icon={<IconTrash size={16} />} onClick={onRemove} />
        )}
      </div>
      {GROUPS.map(([legend, kinds]) => (
        <fieldset key={legend} className={css.kinds}>
          <legend>{t(`webhooks:rule.${legend}`)}</legend>
          {kinds.map((kind) => (
            <Checkbox
              key={kind}
              label={t(`webhooks:kind.${kind}`)}
              checked={rule.kinds.includes(kind)}
              onChange={(on) => toggle(kind, on)}
            />
          ))}
        </fieldset>
      ))}
      {rule.kinds.includes('updated') && (
        <MultiSelect
          label={t('webhooks:rule.fields')}
          description={t('webhooks:rule.fieldsHelp')}
          placeholder={rule.fields.length === 0 ? t('webhooks:rule.anyField') : ''}
          searchable
          clearable
          options={(object?.fields ?? [])
            .filter((field) => !(SYSTEM_FIELDS as readonly string[]).includes(field.key))
            .map((field) => ({ value: field.key, label: label(field.label, field.key) }))}
          value={rule.fields}
          onChange={(fields) => onChange({ ...rule, fields })}
        />
      )}
      <Checkbox
        label={t('webhooks:rule.conditional')}
        description={t('webhooks:rule.conditionalHelp')}
        checked={conditional}
        onChange={(on) => {
          setConditional(on);
          if (!on) onChange({ ...rule, where: null, complete: true });
        }}
      />
      {conditional && (
        <ConditionBuilder
          key={rule.object}
          object={rule.object}
          where={rule.where}
          showProblems={tried}
          faults={faults
            .filter(({ location }) => location.startsWith('where'))
            .map(({ location, message }) => ({ location: location.slice('where'.length), message }))}
          onChange={(where, state) => onChange({ ...rule, where, complete: state.complete })}
        />
      )}
      {told.length > 0 && (
        <ul className={css.chosen} role="alert">
          {told.map(({ location, message }) => (
            <li key={location + message}>{message}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
