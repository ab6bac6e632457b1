import { useQuery } from '@tanstack/react-query';
import { formulaQuery, functionsQuery, type ObjectType, type Rule, useChangeObject } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useDebounced } from '@/lib/hooks';
import { useObjects } from '@/metadata';
import { Select, toast } from '@/ui';
import { suggest } from './formula-words';
import { cleanLabel, isBlank, type Objections, objectionsOf } from './object-draft';
import { FormulaInput } from './object-formula';
import { LabelInput } from './object-labels';
import { type Draft, RuleList, RulePanel, useRuleDrafts } from './object-rule-list';

interface RuleProps {
  object: ObjectType;
  rule: Draft<Rule>;
  number: number;
  objections: Objections;
  onChange: (rule: Draft<Rule>) => void;
  onRemove: () => void;
}

/** One rule: what must not be, what is said then, and at which field. */
function RuleBox({ object, rule, number, objections, onChange, onRemove }: RuleProps) {
  const { t } = useTranslation('formula');
  const label = useLabel();
  const objects = useObjects();
  const functions = useQuery(functionsQuery()).data?.items ?? [];
  const settled = useDebounced(rule.when, 250);
  const check = useQuery(formulaQuery(object.key, { formula: settled }));
  const known = settled.trim() !== '' && settled === rule.when ? check.data : undefined;
  const noCondition = known?.ok === true && known.type !== 'bool';
  const at = (member: string) => objections.at(`rules.${number - 1}.${member}`);
  return (
    <RulePanel
      title={t('formula:rule.number', { number })}
      on={t('formula:rule.on')}
      remove={t('formula:rule.remove', { number })}
      active={rule.off !== true}
      onActive={(on) => onChange({ ...rule, off: !on })}
      onRemove={onRemove}
    >
      <FormulaInput
        label={t('formula:rule.when')}
        value={rule.when}
        onChange={(when) => onChange({ ...rule, when })}
        suggestFor={(word) =>
          suggest(word, { object, objects, functions, label: (each) => label(each.label, each.key) })
        }
        problems={known?.problems ?? []}
        error={noCondition ? t('formula:rule.noCondition') : at('when')}
      />
      <LabelInput
        name={t('formula:rule.message')}
        value={rule.message}
        onChange={(message) => onChange({ ...rule, message })}
        error={at('message')}
        required
      />
      <Select
        label={t('formula:rule.field')}
        clearable
        value={rule.field ?? null}
        placeholder={t('formula:rule.whole')}
        onChange={(field) => {
          const { field: _, ...rest } = rule;
          onChange(field === null || field === '' ? rest : { ...rest, field });
        }}
        options={object.fields
          .filter((field) => !field.read_only && field.access === 'write')
          .map((field) => ({ value: field.key, label: label(field.label, field.key) }))}
        error={at('field')}
      />
    </RulePanel>
  );
}

/** The validation rules of an object, saved together. */
export function ObjectRules({ object }: { object: ObjectType }) {
  const { t } = useTranslation(['formula', 'common']);
  const { rules, touched, ...drafts } = useRuleDrafts<Rule>(object.rules ?? []);
  const change = useChangeObject(object.key);
  const objections = objectionsOf(change.error);
  const save = () =>
    change.mutate(
      { rules: rules.map(({ id: _, ...rule }) => ({ ...rule, message: cleanLabel(rule.message) })) },
      {
        onSuccess: (saved) => {
          drafts.reset(saved.rules ?? []);
          toast.ok(t('common:saved'));
        },
      },
    );
  return (
    <RuleList
      about={t('formula:rule.about')}
      none={t('formula:rule.none')}
      add={t('formula:rule.add')}
      rest={objections.rest((location) => /^rules\.\d+\.(when|message|field)$/.test(location))}
      count={rules.length}
      ready={touched && rules.every((rule) => rule.when.trim() !== '' && !isBlank(rule.message))}
      busy={change.isPending}
      onAdd={() => drafts.add({ key: '', when: '', message: {} })}
      onSave={save}
    >
      {rules.map((rule, at) => (
        <RuleBox
          key={rule.id}
          object={object}
          rule={rule}
          number={at + 1}
          objections={objections}
          onChange={drafts.change}
          onRemove={() => drafts.remove(rule.id)}
        />
      ))}
    </RuleList>
  );
}
