import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type JourneyDefinition, type JourneyStep, type JourneyWay, usersQuery } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useTraits } from '@/metadata';
import { ConditionBuilder } from '@/records/conditions';
import { Button, IconButton, NumberInput, Select, TagsInput, Textarea, TextInput } from '@/ui';
import { stepsOf } from './draft';
import css from './journeys.module.css';
import { WaitForm } from './wait-form';
import { useNames, useStepText, useWayText } from './words';

export interface StepProps {
  definition: JourneyDefinition;
  step: JourneyStep;
  disabled: boolean;
  onChange: (step: JourneyStep) => void;
}

/** What a step does, and where it leads. */
export function StepForm(props: StepProps) {
  const { t } = useTranslation('journeys');
  const { step, disabled, onChange } = props;
  return (
    <div className={css.form}>
      <TextInput
        label={t('journeys:form.name')}
        description={t('journeys:form.nameText')}
        disabled={disabled}
        value={step.name ?? ''}
        onChange={(name) => onChange({ ...step, name })}
      />
      <Kind {...props} />
      {step.kind !== 'exit' && step.kind !== 'split' && (
        <Next
          {...props}
          label={step.ways === undefined ? t('journeys:form.next') : t('journeys:form.nextElse')}
          value={step.next ?? ''}
          onNext={(next) => onChange({ ...step, next })}
        />
      )}
    </div>
  );
}

interface NextProps extends StepProps {
  label: string;
  value: string;
  onNext: (next: string) => void;
}
/** Where to go on: any step but this one. */
function Next({ definition, step, disabled, label, value, onNext }: NextProps) {
  const { t } = useTranslation('journeys');
  const textOf = useStepText();
  return (
    <Select
      label={label}
      disabled={disabled}
      value={value === '' ? null : value}
      onChange={(next) => next !== null && onNext(next)}
      options={stepsOf(definition)
        .filter((each) => each.key !== step.key)
        .map((each) => ({
          value: each.key,
          label: [each.name || t(`journeys:kind.${each.kind}`), textOf(each)].filter((part) => part !== '').join(' '),
        }))}
    />
  );
}

function Kind(props: StepProps) {
  const { t } = useTranslation('journeys');
  const { step, disabled, onChange } = props;
  const names = useNames();
  const users = useQuery(usersQuery()).data?.items ?? [];
  switch (step.kind) {
    case 'wait':
      return <WaitForm {...props} />;
    case 'branch':
    case 'split':
    case 'switch':
      return <Ways {...props} />;
    case 'send':
      return (
        <>
          <Select
            label={t('journeys:form.template')}
            searchable
            disabled={disabled}
            value={step.template ?? null}
            onChange={(template) => onChange({ ...step, ...(template !== null && { template }) })}
            options={names.templates
              .filter((one) => !one.archived)
              .map((one) => ({ value: one.id, label: `${one.name} \u00b7 ${t(`journeys:channel.${one.channel}`)}` }))}
          />
          <Select
            label={t('journeys:form.purpose')}
            disabled={disabled}
            value={step.purpose === 'marketing' ? 'marketing' : 'none'}
            onChange={(purpose) => onChange({ ...step, purpose: purpose === 'marketing' ? purpose : '' })}
            options={(['marketing', 'none'] as const).map((value) => ({
              value,
              label: t(`journeys:purpose.${value}`),
            }))}
          />
        </>
      );
    case 'coupon':
      return (
        <Select
          label={t('journeys:form.offer')}
          searchable
          disabled={disabled}
          value={step.offer ?? null}
          onChange={(offer) => onChange({ ...step, ...(offer !== null && { offer }) })}
          options={names.offers
            .filter((one) => one.status !== 'ended')
            .map((one) => ({ value: one.id, label: one.name }))}
        />
      );
    case 'task':
      return (
        <>
          <TextInput
            label={t('journeys:form.title')}
            disabled={disabled}
            value={step.title ?? ''}
            onChange={(title) => onChange({ ...step, title })}
          />
          <Textarea
            label={t('journeys:form.text')}
            disabled={disabled}
            value={step.text ?? ''}
            onChange={(text) => onChange({ ...step, text })}
          />
          <div className={css.line}>
            <Select
              label={t('journeys:form.owner')}
              clearable
              disabled={disabled}
              placeholder={t('journeys:form.ownerNone')}
              value={step.owner ?? null}
              onChange={(owner) => {
                const { owner: _, ...rest } = step;
                onChange(owner === null ? rest : { ...rest, owner });
              }}
              options={users.map((one) => ({ value: one.id, label: one.name }))}
            />
            <NumberInput
              label={t('journeys:form.due')}
              min={0}
              max={365}
              disabled={disabled}
              value={step.days ?? 0}
              onChange={(days) => onChange({ ...step, days: days ?? 0 })}
            />
          </div>
        </>
      );
    case 'update':
      return (
        <>
          <FieldSelect {...props} />
          <ValueInput
            step={step}
            value={step.value}
            disabled={disabled}
            onChange={(value) => onChange({ ...step, value })}
          />
        </>
      );
    case 'tag':
      return (
        <>
          <TagsInput
            label={t('journeys:form.add')}
            disabled={disabled}
            value={step.add ?? []}
            onChange={(add) => onChange({ ...step, add })}
          />
          <TagsInput
            label={t('journeys:form.remove')}
            disabled={disabled}
            value={step.remove ?? []}
            onChange={(remove) => onChange({ ...step, remove })}
          />
        </>
      );
    case 'webhook':
      return (
        <TextInput
          label={t('journeys:form.url')}
          description={t('journeys:form.urlText')}
          disabled={disabled}
          value={step.url ?? ''}
          onChange={(url) => onChange({ ...step, url })}
        />
      );
    default:
      return <p className={css.note}>{t(`journeys:about.${step.kind}`)}</p>;
  }
}

function FieldSelect({ step, disabled, onChange }: StepProps) {
  const { t } = useTranslation('journeys');
  const label = useLabel();
  const { fields } = useNames();
  return (
    <Select
      label={t('journeys:form.field')}
      searchable
      disabled={disabled}
      value={step.field ?? null}
      onChange={(field) => {
        const { trait: _, ...rest } = step;
        onChange({ ...rest, ...(field !== null && { field }) });
      }}
      options={fields
        .filter((one) => !['relation', 'user', 'tags', 'file', 'formula'].includes(one.type))
        .map((one) => ({ value: one.key, label: label(one.label) }))}
    />
  );
}

interface ValueProps {
  step: JourneyStep;
  value: unknown;
  disabled: boolean;
  onChange: (value: unknown) => void;
}
/** A value of the field of a step: one of its choices, a number, yes or no, or a text. */
function ValueInput({ step, value, disabled, onChange }: ValueProps) {
  const { t } = useTranslation('journeys');
  const label = useLabel();
  const { fields } = useNames();
  const field = fields.find((one) => one.key === step.field);
  const traits = useTraits();
  const trait = traits.find((one) => one.key === step.trait);
  const options = field?.options ?? trait?.options ?? [];
  const type = field?.type ?? trait?.type ?? 'text';
  const name = t('journeys:form.value');
  if (options.length > 0)
    return (
      <Select
        label={name}
        clearable
        disabled={disabled}
        value={typeof value === 'string' ? value : null}
        onChange={onChange}
        options={options.map((one) => ({ value: one.key, label: label(one.label) }))}
      />
    );
  if (type === 'bool')
    return (
      <Select
        label={name}
        disabled={disabled}
        value={value === true ? 'yes' : 'no'}
        onChange={(next) => onChange(next === 'yes')}
        options={(['yes', 'no'] as const).map((one) => ({ value: one, label: t(`journeys:form.${one}`) }))}
      />
    );
  if (['number', 'percent', 'rating', 'duration'].includes(type))
    return (
      <NumberInput
        label={name}
        disabled={disabled}
        value={typeof value === 'number' ? value : null}
        onChange={onChange}
      />
    );
  return (
    <TextInput
      label={name}
      disabled={disabled}
      value={typeof value === 'string' ? value : ''}
      onChange={(next) => onChange(next === '' ? null : next)}
    />
  );
}

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

function Ways(props: StepProps) {
  const { t } = useTranslation('journeys');
  const { step, disabled, onChange } = props;
  const wayOf = useWayText();
  const ways = step.ways ?? [];
  const set = (index: number, change: Partial<JourneyWay>) =>
    onChange({ ...step, ways: ways.map((way, at) => (at === index ? { ...way, ...change } : way)) });
  const free = KEYS.map((key) => (step.kind === 'split' ? key : `w_${key}`)).find(
    (key) => !ways.some((way) => way.key === key),
  );
  const onward = step.next ?? ways.at(-1)?.next ?? '';
  return (
    <>
      {step.kind === 'switch' && <FieldSelect {...props} />}
      {ways.map((way, index) => (
        <section key={way.key} className={css.way} aria-label={wayOf(step, index)}>
          <div className={css.line}>
            <TextInput
              label={t('journeys:form.label')}
              disabled={disabled}
              value={way.label ?? ''}
              onChange={(label) => set(index, { label })}
            />
            {step.kind === 'split' && (
              <NumberInput
                label={t('journeys:form.share')}
                suffix="%"
                min={1}
                max={100}
                disabled={disabled}
                value={way.share ?? 0}
                onChange={(share) => set(index, { share: share ?? 0 })}
              />
            )}
            {ways.length > 1 && !disabled && (
              <span>
                <IconButton
                  label={t('journeys:form.dropWay')}
                  icon={<IconTrash size={16} />}
                  onClick={() => onChange({ ...step, ways: ways.filter((_, at) => at !== index) })}
                />
              </span>
            )}
          </div>
          {step.kind === 'branch' && (
            <ConditionBuilder
              key={way.key}
              object="customer"
              where={way.where ?? null}
              onChange={(where) => {
                const { where: _, ...rest } = way;
                const next = where === null ? rest : { ...rest, where };
                onChange({ ...step, ways: ways.map((each, at) => (at === index ? next : each)) });
              }}
            />
          )}
          {step.kind === 'switch' && (
            <ValueInput step={step} value={way.value} disabled={disabled} onChange={(value) => set(index, { value })} />
          )}
          <Next {...props} label={t('journeys:form.next')} value={way.next} onNext={(next) => set(index, { next })} />
        </section>
      ))}
      {free !== undefined && !disabled && (
        <span>
          <Button
            icon={<IconPlus size={15} />}
            onClick={() =>
              onChange({
                ...step,
                ways: [...ways, { key: free, next: onward, ...(step.kind === 'split' && { share: 10 }) }],
              })
            }
          >
            {t('journeys:form.addWay')}
          </Button>
        </span>
      )}
    </>
  );
}
