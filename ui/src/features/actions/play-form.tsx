import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import {
  type FieldError,
  lifecycleQuery,
  manualAutomationsQuery,
  PLAY_CHANNELS,
  PLAY_KINDS,
  PLAY_WORTHS,
  type PlayDraft,
} from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { ConditionBuilder } from '@/records/conditions';
import { MultiSelect, NumberInput, Select, Switch, Textarea, TextInput } from '@/ui';
import css from './actions.module.css';

interface Props {
  draft: PlayDraft;
  /** null for a play that has its key already. */
  playKey: string | null;
  onKey: (key: string) => void;
  faults: readonly FieldError[];
  readOnly: boolean;
  count: ReactNode;
  onChange: (part: Partial<PlayDraft>) => void;
}

/** Stages of the lifecycle as choices. */
function useStages() {
  const label = useLabel();
  const { data } = useQuery(lifecycleQuery({ classification: 'lifecycle', from: '', to: '', within: 90, by: 'month' }));
  return (data?.stages ?? []).map((stage) => ({ value: stage.key, label: label(stage.label, stage.key) }));
}

export function PlayForm({ draft, playKey, onKey, faults, readOnly, count, onChange }: Props) {
  const { t } = useTranslation(['actions', 'next']);
  const stages = useStages();
  const rules = useQuery({ ...manualAutomationsQuery('customer'), enabled: draft.kind === 'rule' });
  const error = (field: string) =>
    faults.find(
      ({ location }) =>
        location.replace(/^body\./, '') === field || (field === 'where' && /^(body\.)?where/.test(location)),
    )?.message;
  const fault = (field: string) => {
    const text = error(field);
    return text === undefined ? {} : { error: text };
  };
  const words = (part: 'label' | 'what', language: 'zh-CN' | 'en', value: string) =>
    onChange({ [part]: { ...draft[part], [language]: value } });
  const number = (field: 'due' | 'window' | 'rest' | 'held' | 'cost' | 'amount', decimals: number, help?: string) => (
    <NumberInput
      label={t(`actions:form.${field}`)}
      {...(help !== undefined && { description: help })}
      value={draft[field]}
      min={0}
      decimals={decimals}
      disabled={readOnly}
      {...fault(field)}
      onChange={(next) => onChange({ [field]: next ?? 0 })}
    />
  );
  return (
    <>
      <fieldset className={css.group}>
        <div className={css.pair}>
          <TextInput
            label={t('actions:form.name')}
            value={draft.label['zh-CN'] ?? ''}
            disabled={readOnly}
            {...fault('label')}
            onChange={(next) => words('label', 'zh-CN', next)}
          />
          <TextInput
            label={t('actions:form.nameEn')}
            value={draft.label.en ?? ''}
            disabled={readOnly}
            onChange={(next) => words('label', 'en', next)}
          />
          {playKey !== null && (
            <TextInput
              label={t('actions:form.key')}
              description={t('actions:form.keyHelp')}
              value={playKey}
              {...fault('key')}
              onChange={onKey}
            />
          )}
        </div>
        <div className={css.pair}>
          <Textarea
            label={t('actions:form.what')}
            minRows={2}
            value={draft.what['zh-CN'] ?? ''}
            disabled={readOnly}
            {...fault('what')}
            onChange={(next) => words('what', 'zh-CN', next)}
          />
          <Textarea
            label={t('actions:form.whatEn')}
            minRows={2}
            value={draft.what.en ?? ''}
            disabled={readOnly}
            onChange={(next) => words('what', 'en', next)}
          />
        </div>
        <Switch label={t('actions:on')} checked={draft.on} disabled={readOnly} onChange={(on) => onChange({ on })} />
      </fieldset>
      <fieldset className={css.group}>
        <legend>{t('actions:form.who')}</legend>
        <MultiSelect
          label={t('actions:form.stages')}
          placeholder={draft.stages.length === 0 ? t('actions:form.stagesAny') : ''}
          value={draft.stages}
          options={stages}
          disabled={readOnly}
          onChange={(next) => onChange({ stages: next })}
        />
        <div>
          <div className="muted">{t('actions:form.where')}</div>
          <ConditionBuilder
            object="customer"
            allowTraits
            allowRecords
            allowSegments
            where={draft.where}
            onChange={(where) => !readOnly && onChange({ where })}
          />
          {error('where') !== undefined && <p role="alert">{error('where')}</p>}
        </div>
        <MultiSelect
          label={t('actions:form.reach')}
          description={t('actions:form.reachHelp')}
          value={draft.reach}
          options={PLAY_CHANNELS.map((one) => ({ value: one, label: t(`actions:reach.${one}`) }))}
          disabled={readOnly}
          {...fault('reach')}
          onChange={(next) => onChange({ reach: next })}
        />
        <p>{count}</p>
      </fieldset>
      <fieldset className={css.group}>
        <legend>{t('actions:form.how')}</legend>
        <div className={css.pair}>
          <Select
            label={t('actions:form.kind')}
            value={draft.kind}
            disabled={readOnly}
            {...fault('kind')}
            options={PLAY_KINDS.map((one) => ({ value: one, label: t(`actions:kind.${one}`) }))}
            onChange={(next) => onChange({ kind: PLAY_KINDS.find((one) => one === next) ?? 'task' })}
          />
          {draft.kind === 'task' && number('due', 0)}
          {draft.kind === 'rule' && (
            <Select
              label={t('actions:form.rule')}
              value={draft.rule === '' ? null : draft.rule}
              disabled={readOnly}
              empty={t('actions:form.ruleNone')}
              {...fault('rule')}
              options={(rules.data?.items ?? []).map((one) => ({ value: one.id, label: one.name }))}
              onChange={(next) => onChange({ rule: next ?? '' })}
            />
          )}
        </div>
      </fieldset>
      <fieldset className={css.group}>
        <legend>{t('actions:form.gain')}</legend>
        <div className={css.pair}>
          <NumberInput
            label={t('actions:form.lift')}
            description={t('actions:form.liftHelp')}
            value={Math.round(draft.lift * 1e4) / 100}
            min={0}
            max={100}
            decimals={2}
            disabled={readOnly}
            {...fault('lift')}
            onChange={(next) => onChange({ lift: (next ?? 0) / 100 })}
          />
          <Select
            label={t('actions:form.worth')}
            value={draft.worth}
            disabled={readOnly}
            {...fault('worth')}
            options={PLAY_WORTHS.map((one) => ({ value: one, label: t(`next:worth.${one}`) }))}
            onChange={(next) => onChange({ worth: PLAY_WORTHS.find((one) => one === next) ?? 'basket' })}
          />
          {draft.worth === 'fixed' && number('amount', 2)}
          {number('cost', 2)}
        </div>
      </fieldset>
      <fieldset className={css.group}>
        <legend>{t('actions:form.guard')}</legend>
        <div className={css.pair}>
          {number('window', 0, t('actions:form.windowHelp'))}
          {number('rest', 0, t('actions:form.restHelp'))}
          {number('held', 0, t('actions:form.heldHelp'))}
        </div>
      </fieldset>
    </>
  );
}
