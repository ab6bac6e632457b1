import { useState } from 'react';
import type { Field, ObjectType } from '@/api';
import { FieldEditor } from '@/fields';
import { useLabel, useLanguage, useTranslation } from '@/i18n';
import { findObject, useObjects } from '@/metadata';
import { Checkbox, NumberInput, SegmentedControl, Select, Switch, TextInput } from '@/ui';
import css from './object.module.css';
import { type FieldDraft, hasMember, isComputed, type Member, type Objections, tidy } from './object-draft';
import { FieldConditions } from './object-field-conditions';
import { FileMembers } from './object-field-files';
import { FormulaMembers } from './object-formula';
import { LabelInput } from './object-labels';
import { OptionsEditor } from './object-options';
import { PatternInput } from './object-pattern';
import { LookupMembers, RollupMembers } from './object-rollup';

const SECTIONS = ['basic', 'contact', 'detail', 'other'];
const NEW_SECTION = '+';

export interface FormProps {
  object: ObjectType;
  draft: FieldDraft;
  /** The field that is changed; undefined for a new one. */
  field?: Field | undefined;
  onChange: (patch: Partial<FieldDraft>) => void;
  objections: Objections;
}

function Section({ object, draft, onChange, objections }: FormProps) {
  const { t } = useTranslation(['shape', 'fields']);
  const [own, setOwn] = useState(false);
  const used = object.fields.map((field) => field.section ?? '').filter(Boolean);
  const keys = [...new Set([...used, ...SECTIONS, draft.section].filter(Boolean))];
  if (own)
    return (
      <TextInput
        label={t('shape:field.newSection')}
        value={draft.section}
        onChange={(section) => onChange({ section })}
        maxLength={40}
        autoFocus
        error={objections.at('section')}
      />
    );
  return (
    <Select
      label={t('shape:field.section')}
      value={draft.section === '' ? null : draft.section}
      onChange={(section) => {
        setOwn(section === NEW_SECTION);
        onChange({ section: section === NEW_SECTION ? '' : (section ?? 'basic') });
      }}
      options={[
        ...keys.map((key) => ({ value: key, label: t(`fields:section.${key}`, { defaultValue: key }) })),
        { value: NEW_SECTION, label: t('shape:field.newSection') },
      ]}
      error={objections.at('section')}
    />
  );
}

function Target({ object, draft, onChange, objections, field }: FormProps) {
  const { t } = useTranslation('shape');
  const label = useLabel();
  const objects = useObjects();
  const many = draft.type === 'relation_many';
  const pointing = (target: ObjectType) =>
    target.fields.filter((each) => each.type === 'relation' && each.target === object.key);
  const targets = objects.filter((each) => (many ? pointing(each).length > 0 : true));
  const target = findObject(objects, draft.target);
  const vias = target === undefined ? [] : pointing(target);
  return (
    <>
      <Select
        label={t('shape:field.target')}
        description={t(many ? 'shape:field.targetManyHelp' : 'shape:field.targetHelp')}
        required
        disabled={field !== undefined}
        searchable
        value={draft.target === '' ? null : draft.target}
        onChange={(next) => {
          const only = findObject(objects, next ?? undefined);
          onChange({ target: next ?? '', via: (many && only && pointing(only)[0]?.key) || '' });
        }}
        options={targets.map((each) => ({ value: each.key, label: label(each.label, each.key) }))}
        empty={t('shape:field.noTarget')}
        error={objections.at('target')}
      />
      {many && vias.length > 0 && (
        <Select
          label={t('shape:field.via')}
          required
          disabled={field !== undefined}
          value={draft.via === '' ? null : draft.via}
          onChange={(via) => onChange({ via: via ?? '' })}
          options={vias.map((each) => ({ value: each.key, label: label(each.label, each.key) }))}
          error={objections.at('via')}
        />
      )}
    </>
  );
}

/** A field in the shape that the editors of values take. */
function sample(draft: FieldDraft): Field {
  return {
    key: 'default',
    type: draft.type,
    label: draft.label,
    section: '',
    required: false,
    unique: false,
    personal: false,
    read_only: false,
    operation_only: false,
    filterable: false,
    sortable: false,
    searchable: false,
    scale: draft.scale,
    operators: [],
    access: 'write',
    options: tidy(draft)
      .options.filter((option) => !option.archived)
      .map(({ id, label, color }) => ({ key: id, label, color })),
  };
}

type Start = 'none' | 'now' | 'fixed';

function Default({ draft, onChange, objections }: FormProps) {
  const { t } = useTranslation('shape');
  const dated = draft.type === 'date' || draft.type === 'datetime';
  const [start, setStart] = useState<Start>(() => {
    if (draft.default === 'now') return 'now';
    return draft.default === null ? 'none' : 'fixed';
  });
  const error = objections.at('default');
  const editor = (
    <FieldEditor
      field={sample(draft)}
      value={draft.default === 'now' ? null : draft.default}
      onChange={(value) => onChange({ default: value })}
      label={t('shape:field.default')}
      error={error}
    />
  );
  if (draft.type === 'bool')
    return (
      <Checkbox
        label={t('shape:field.defaultYes')}
        checked={draft.default === true}
        onChange={(checked) => onChange({ default: checked ? true : null })}
      />
    );
  if (!dated) return editor;
  return (
    <div className="stack">
      <div className={css.label}>{t('shape:field.default')}</div>
      <SegmentedControl<Start>
        label={t('shape:field.default')}
        value={start}
        onChange={(next) => {
          setStart(next);
          onChange({ default: next === 'now' ? 'now' : null });
        }}
        options={[
          { value: 'none', label: t('shape:field.defaultNone') },
          { value: 'now', label: t(draft.type === 'date' ? 'shape:field.defaultToday' : 'shape:field.defaultNow') },
          { value: 'fixed', label: t('shape:field.defaultFixed') },
        ]}
      />
      {start === 'fixed' && editor}
      {start !== 'fixed' && error !== undefined && <p className={css.fault}>{error}</p>}
    </div>
  );
}

const RULES = ['required', 'unique', 'indexed', 'searchable', 'personal'] as const;
/** Decided when a field is made: they decide about how it is stored. */
const FIXED = new Set<string>(['unique', 'personal']);

function Rules({ draft, field, onChange, objections }: FormProps) {
  const { t } = useTranslation('shape');
  const builtIn = field !== undefined && field.custom !== true;
  const rules = RULES.filter((rule) => hasMember(draft.type, rule as Member) && !(builtIn && FIXED.has(rule)));
  // What a built-in field has from the start cannot be taken from it.
  const stuck = (rule: (typeof RULES)[number]) =>
    field !== undefined && (FIXED.has(rule) || (builtIn && rule !== 'personal' && field[rule] === true));
  return (
    <div className={css.rules}>
      {rules.map((rule) => (
        <div key={rule}>
          <Switch
            label={t(`shape:rule.${rule}`)}
            description={t(`shape:ruleHelp.${rule}`)}
            checked={draft[rule]}
            disabled={stuck(rule)}
            onChange={(checked) => onChange({ [rule]: checked })}
          />
          {objections.at(rule) !== undefined && <p className={css.fault}>{objections.at(rule)}</p>}
        </div>
      ))}
      {builtIn && !field.required && (
        <div>
          <Switch
            label={t('shape:rule.hidden')}
            description={t('shape:ruleHelp.hidden')}
            checked={draft.hidden}
            onChange={(hidden) => onChange({ hidden })}
          />
          {objections.at('hidden') !== undefined && <p className={css.fault}>{objections.at('hidden')}</p>}
        </div>
      )}
    </div>
  );
}

/** The members of a field of one type; of a built-in field only those that a workspace may change. */
export function FieldForm(props: FormProps) {
  const { t } = useTranslation(['shape', 'settings', 'formula']);
  const own = useLanguage();
  const { object, draft, field, onChange, objections } = props;
  const builtIn = field !== undefined && field.custom !== true;
  const computed = isComputed(draft);
  const has = (member: Member) => hasMember(draft.type, member);
  return (
    <div className={css.fields}>
      <LabelInput
        name={t('shape:field.name')}
        value={draft.label}
        onChange={(label) => onChange({ label })}
        error={objections.at('label')}
        required
        autoFocus={field === undefined}
      />
      {draft.lookup && <LookupMembers {...props} />}
      {draft.formula !== null && !draft.lookup && <FormulaMembers {...props} />}
      {draft.rollup !== null && <RollupMembers {...props} />}
      {!computed && has('options') && (
        <OptionsEditor options={draft.options} onChange={(options) => onChange({ options })} objections={objections} />
      )}
      {!computed && has('target') && <Target {...props} />}
      {!computed && has('scale') && (!builtIn || draft.scale > 0) && (
        <NumberInput
          label={t('shape:field.scale')}
          description={t('shape:field.scaleHelp')}
          value={draft.scale}
          onChange={(scale) => onChange({ scale: scale ?? 0 })}
          min={0}
          max={6}
          disabled={field !== undefined}
          error={objections.at('scale')}
        />
      )}
      {!computed && has('max_mb') && !builtIn && <FileMembers {...props} />}
      {!computed && has('max') && !has('max_mb') && (
        <NumberInput
          label={t('formula:rating.most')}
          value={draft.max}
          onChange={(max) => onChange({ max: max ?? 5 })}
          min={2}
          max={10}
          disabled={field !== undefined}
          error={objections.at('max')}
        />
      )}
      {has('pattern') && (
        <PatternInput
          value={draft.pattern}
          onChange={(pattern) => onChange({ pattern })}
          error={objections.at('pattern')}
        />
      )}
      <LabelInput
        key={`help-${own}`}
        name={t('shape:field.help')}
        value={draft.help}
        onChange={(help) => onChange({ help })}
        error={objections.at('help')}
      />
      <div className={css.pair}>
        <Section {...props} />
        {!computed && has('max_length') && !builtIn && (
          <NumberInput
            label={t('shape:field.maxLength')}
            value={draft.max_length}
            onChange={(max_length) => onChange({ max_length })}
            min={1}
            max={100_000}
            placeholder={t('shape:field.noLimit')}
            error={objections.at('max_length')}
          />
        )}
      </div>
      {!computed && has('default') && <Default {...props} />}
      {!computed && <Rules {...props} />}
      {field?.key !== object.title_field && <FieldConditions {...props} />}
      {draft.rollup !== null && (
        <div className={css.rules}>
          <Switch
            label={t('shape:rule.indexed')}
            description={t('shape:ruleHelp.indexed')}
            checked={draft.indexed}
            onChange={(indexed) => onChange({ indexed })}
          />
        </div>
      )}
    </div>
  );
}
