import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { formulaQuery, functionsQuery, type ObjectType, type Rule, useChangeObject } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useDebounced } from '@/lib/hooks';
import { useObjects } from '@/metadata';
import { Button, IconButton, Panel, Select, Switch, toast } from '@/ui';
import { suggest } from './formula-words';
import css from './object.module.css';
import { cleanLabel, isBlank, type Objections, objectionsOf } from './object-draft';
import { FormulaInput } from './object-formula';
import { LabelInput } from './object-labels';

interface DraftRule extends Rule {
  id: number;
}
let made = 0;
const draftOf = (rule: Rule): DraftRule => {
  made += 1;
  return { ...rule, id: made };
};

interface RuleProps {
  object: ObjectType;
  rule: DraftRule;
  number: number;
  objections: Objections;
  onChange: (rule: DraftRule) => void;
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
    <Panel
      title={t('formula:rule.number', { number })}
      aside={
        <span className="row">
          <Switch
            label={t('formula:rule.on')}
            checked={rule.off !== true}
            onChange={(on) => onChange({ ...rule, off: !on })}
          />
          <IconButton label={t('formula:rule.remove', { number })} icon={<IconTrash size={16} />} onClick={onRemove} />
        </span>
      }
    >
      <div className={css.fields}>
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
      </div>
    </Panel>
  );
}

/** The validation rules of an object, saved together. */
export function ObjectRules({ object }: { object: ObjectType }) {
  const { t } = useTranslation(['formula', 'common']);
  const [rules, setRules] = useState<DraftRule[]>(() => (object.rules ?? []).map(draftOf));
  const [touched, setTouched] = useState(false);
  const change = useChangeObject(object.key);
  const objections = objectionsOf(change.error);
  const rest = objections.rest((location) => /^rules\.\d+\.(when|message|field)$/.test(location));
  const update = (next: DraftRule[]) => {
    setTouched(true);
    setRules(next);
  };
  const ready = rules.every((rule) => rule.when.trim() !== '' && !isBlank(rule.message));
  const save = () =>
    change.mutate(
      { rules: rules.map(({ id: _, ...rule }) => ({ ...rule, message: cleanLabel(rule.message) })) },
      {
        onSuccess: (saved) => {
          setRules((saved.rules ?? []).map(draftOf));
          setTouched(false);
          toast.ok(t('common:saved'));
        },
      },
    );
  return (
    <div className="stack">
      <p className="muted">{t('formula:rule.about')}</p>
      {rules.length === 0 && <p className="muted">{t('formula:rule.none')}</p>}
      {rules.map((rule, at) => (
        <RuleBox
          key={rule.id}
          object={object}
          rule={rule}
          number={at + 1}
          objections={objections}
          onChange={(next) => update(rules.map((each) => (each.id === rule.id ? next : each)))}
          onRemove={() => update(rules.filter((each) => each.id !== rule.id))}
        />
      ))}
      {rest !== null && (
        <p className={css.refused} role="alert">
          {rest}
        </p>
      )}
      <div className="row">
        <Button
          icon={<IconPlus size={15} />}
          onClick={() => update([...rules, draftOf({ key: '', when: '', message: {} })])}
        >
          {t('formula:rule.add')}
        </Button>
        <Button kind="primary" disabled={!touched || !ready} loading={change.isPending} onClick={save}>
          {t('common:save')}
        </Button>
      </div>
    </div>
  );
}
