import { useState } from 'react';
import { type Model, type ModelOption, type ModelSetting, REFITS, type Refit, useConfigureModel } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useTraits } from '@/metadata';
import { Button, MultiSelect, NumberInput, Panel, Select, Switch, toast } from '@/ui';
import css from './models.module.css';

const same = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right);

/** What a workspace sets about a model; the next fit goes by it. */
export function Options({ model }: { model: Model }) {
  const { t } = useTranslation(['models', 'common']);
  const save = useConfigureModel();
  const kept = {
    off: model.off,
    refit: model.refit,
    values: Object.fromEntries(model.options.map((option) => [option.key, option.value])),
  };
  const [draft, setDraft] = useState(kept);
  const changed = !same(draft, kept);
  const store = async () => {
    const options = Object.fromEntries(
      model.options
        .filter((option) => !same(draft.values[option.key], option.default))
        .map((option) => [option.key, draft.values[option.key]]),
    );
    const setting: ModelSetting = { edition: model.edition, off: draft.off, refit: draft.refit, options };
    try {
      await save.mutateAsync({ key: model.key, setting });
      toast.ok(t('models:saved'));
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: error instanceof Error ? error.message : '' });
    }
  };
  return (
    <Panel title={t('models:settings')}>
      <div className={css.options}>
        <Switch label={t('models:on')} checked={!draft.off} onChange={(on) => setDraft({ ...draft, off: !on })} />
        <Select
          label={t('models:refit.label')}
          value={draft.refit}
          onChange={(next) => next !== null && setDraft({ ...draft, refit: next as Refit })}
          options={REFITS.map((value) => ({ value, label: t(`models:refit.${value}`) }))}
        />
        {model.options.map((option) => (
          <OptionField
            key={option.key}
            option={option}
            value={draft.values[option.key]}
            onChange={(value) => setDraft({ ...draft, values: { ...draft.values, [option.key]: value } })}
          />
        ))}
      </div>
      <div className={css.foot}>
        {changed && (
          <Button kind="subtle" onClick={() => setDraft(kept)}>
            {t('common:cancel')}
          </Button>
        )}
        <Button kind="primary" disabled={!changed} loading={save.isPending} onClick={() => void store()}>
          {t('common:save')}
        </Button>
      </div>
    </Panel>
  );
}

function OptionField({
  option,
  value,
  onChange,
}: {
  option: ModelOption;
  value: unknown;
  onChange: (value: unknown) => void;
}) {
  const shared = { label: option.label, description: option.help === '' ? undefined : option.help };
  switch (option.kind) {
    case 'number':
      return (
        <NumberInput
          {...shared}
          value={typeof value === 'number' ? value : null}
          min={option.min}
          max={option.max}
          suffix={option.unit === undefined ? undefined : ` ${option.unit}`}
          onChange={(next) => onChange(next ?? option.default)}
        />
      );
    case 'switch':
      return <Switch {...shared} checked={value === true} onChange={onChange} />;
    case 'choice':
      return (
        <Select
          {...shared}
          value={typeof value === 'string' ? value : null}
          onChange={(next) => onChange(next ?? option.default)}
          options={(option.choices ?? []).map((choice) => ({ value: choice.key, label: choice.label }))}
        />
      );
    case 'traits':
      return <TraitsField {...shared} value={Array.isArray(value) ? (value as string[]) : []} onChange={onChange} />;
  }
}

const COUNTED = new Set(['integer', 'decimal', 'money', 'percent', 'number', 'share']);

function TraitsField({
  value,
  onChange,
  ...shared
}: {
  label: string;
  description: string | undefined;
  value: string[];
  onChange: (value: string[]) => void;
}) {
  const label = useLabel();
  const traits = useTraits();
  return (
    <MultiSelect
      {...shared}
      value={value}
      onChange={onChange}
      options={traits
        .filter((trait) => COUNTED.has(trait.type) || value.includes(trait.key))
        .map((trait) => ({ value: trait.key, label: label(trait.label, trait.key) }))}
    />
  );
}
