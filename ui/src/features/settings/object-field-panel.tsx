import { IconChevronLeft } from '@tabler/icons-react';
import { useState } from 'react';
import { type Field, type FieldType, type ObjectType, useChangeField, useChangeObject, useCreateField } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useObjects } from '@/metadata';
import { Button, Drawer, Switch, TextInput, toast } from '@/ui';
import css from './object.module.css';
import {
  cleanLabel,
  draftOf,
  emptyDraft,
  type FieldDraft,
  formulaDraft,
  hasMember,
  isBlank,
  isComplete,
  latinKey,
  lookupDraft,
  objectionsOf,
  rollupDraft,
  tidy,
  toChange,
  toInput,
} from './object-draft';
import { FieldForm } from './object-field-form';
import { ComputedIcon, type ComputedKind, TypeGrid, TypeIcon } from './object-types';

const ALWAYS = new Set([
  'key',
  'label',
  'help',
  'section',
  'hidden',
  'required',
  'indexed',
  'formula',
  'rollup.object',
  'rollup.via',
  'rollup.func',
  'rollup.field',
  'rollup.by',
  'rollup.where',
]);
/** What is wrong inside a condition is said below it. */
const IN_CONDITION = /^(shown|required)_when(\/|\.|$)/;
const MEMBERS = [
  'options',
  'target',
  'via',
  'scale',
  'max',
  'max_mb',
  'kinds',
  'pattern',
  'max_length',
  'default',
  'unique',
  'personal',
  'searchable',
] as const;

/** Whether the form of a type has a control where an objection can stand. */
function placedFor(type: FieldType) {
  const shown = new Set<string>([...ALWAYS, ...MEMBERS.filter((member) => hasMember(type, member))]);
  return (location: string) =>
    shown.has(location) || IN_CONDITION.test(location) || /^options\.\d+\.(key|label)$/.test(location);
}

const COMPUTED = { formula: formulaDraft, lookup: lookupDraft, rollup: rollupDraft } satisfies Record<
  ComputedKind,
  () => FieldDraft
>;

function kindOfDraft(draft: FieldDraft): ComputedKind | null {
  if (draft.rollup !== null) return 'rollup';
  if (draft.formula === null) return null;
  return draft.lookup ? 'lookup' : 'formula';
}

/** Wide or derived values make poor columns. */
const POOR_COLUMNS = new Set<FieldType>(['long_text', 'json', 'relation_many', 'address']);
const MOST_COLUMNS = 8;

/** When a record was made stays the last thing said of it. */
const withColumn = (columns: readonly string[], key: string): string[] => {
  const end = columns.at(-1) === 'created_at' ? columns.length - 1 : columns.length;
  return [...columns.slice(0, end), key, ...columns.slice(end)];
};

interface Props {
  object: ObjectType;
  /** The field to change; undefined makes a new one. */
  field?: Field | undefined;
  onClose: () => void;
}

/** The side panel in which a field is made or changed. */
export function FieldPanel({ object, field, onClose }: Props) {
  const { t } = useTranslation(['shape', 'settings', 'common', 'formula']);
  const label = useLabel();
  const [draft, setDraft] = useState<FieldDraft | null>(field === undefined ? null : draftOf(field));
  const pointed = useObjects().some((each) =>
    each.fields.some((other) => other.type === 'relation' && other.target === object.key),
  );
  const touched =
    draft !== null &&
    (field === undefined ? !isBlank(draft.label) : Object.keys(toChange(field, tidy(draft))).length > 0);
  const title =
    field === undefined
      ? t('shape:field.addTo', { name: label(object.label, object.key) })
      : t('shape:field.edit', { name: label(field.label, field.key) });
  return (
    <Drawer opened onClose={onClose} dirty={touched} title={title} size={560}>
      {draft === null ? (
        <>
          <p className={css.intro}>{t('shape:types.intro')}</p>
          <TypeGrid
            leaveOut={pointed ? [] : ['relation_many']}
            onPick={(type) => setDraft(emptyDraft(type))}
            onComputed={(kind) => setDraft(COMPUTED[kind]())}
            related={object.related.length > 0}
            relations={object.fields.some((each) => each.type === 'relation')}
          />
        </>
      ) : (
        <Members
          object={object}
          field={field}
          draft={draft}
          setDraft={setDraft}
          onBack={field === undefined ? () => setDraft(null) : undefined}
          onClose={onClose}
        />
      )}
    </Drawer>
  );
}

interface MembersProps extends Props {
  draft: FieldDraft;
  setDraft: (draft: FieldDraft) => void;
  onBack?: (() => void) | undefined;
}

function Members({ object, field, draft, setDraft, onBack, onClose }: MembersProps) {
  const { t } = useTranslation(['shape', 'settings', 'common', 'formula']);
  const label = useLabel();
  const create = useCreateField(object.key);
  const change = useChangeField(object.key);
  const display = useChangeObject(object.key);
  const canList = !POOR_COLUMNS.has(draft.type) && object.default_columns.length < MOST_COLUMNS;
  const [listed, setListed] = useState(canList);
  const busy = create.isPending || change.isPending || display.isPending;
  const error = create.error ?? change.error;
  const objections = objectionsOf(error);
  const rest = objections.rest(placedFor(draft.type));

  const done = () => {
    toast.ok(
      field === undefined ? t('shape:field.added', { name: label(cleanLabel(draft.label)) }) : t('common:saved'),
    );
    onClose();
  };
  const kind = kindOfDraft(draft);
  const save = () => {
    const sent = tidy(draft);
    setDraft(sent);
    if (field !== undefined) {
      const patch = toChange(field, sent);
      if (Object.keys(patch).length === 0) return onClose();
      return change.mutate({ field: field.key, change: patch }, { onSuccess: done });
    }
    return create.mutate(toInput(sent), {
      onSuccess: (made) => {
        if (!listed) return done();
        return display.mutate({ default_columns: withColumn(object.default_columns, made.key) }, { onSettled: done });
      },
    });
  };

  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy && !isBlank(draft.label)) save();
      }}
      // Enter in one of many inputs is no wish to save the whole.
      onKeyDown={(event) => {
        if (event.key === 'Enter' && event.target instanceof HTMLInputElement) event.preventDefault();
      }}
    >
      <div className={css.typeLine}>
        {kind === null ? <TypeIcon type={draft.type} /> : <ComputedIcon kind={kind} />}
        <span>{kind === null ? t(`settings:type.${draft.type}`) : t(`formula:${kind}.name`)}</span>
        <span className="muted grow truncate">
          {kind === null ? t(`shape:typeHelp.${draft.type}`) : t(`formula:${kind}.help`)}
        </span>
        {onBack !== undefined && (
          <Button kind="subtle" icon={<IconChevronLeft size={14} />} onClick={onBack}>
            {t('shape:types.other')}
          </Button>
        )}
      </div>
      <FieldForm
        object={object}
        field={field}
        draft={draft}
        onChange={(patch) => setDraft({ ...draft, ...patch })}
        objections={objections}
      />
      {field === undefined && canList && (
        <div className={css.rules}>
          <Switch
            label={t('shape:field.listed')}
            description={t('shape:field.listedHelp')}
            checked={listed}
            onChange={setListed}
          />
        </div>
      )}
      {field === undefined ? (
        <details className={css.advanced} open={objections.at('key') !== undefined || undefined}>
          <summary>{t('shape:advanced')}</summary>
          <TextInput
            label={t('shape:key.label')}
            description={t('shape:key.fieldHelp')}
            placeholder={latinKey(draft.label) || t('shape:key.auto')}
            value={draft.key}
            onChange={(key) => setDraft({ ...draft, key })}
            maxLength={40}
            error={objections.at('key')}
          />
        </details>
      ) : (
        <p className={css.note}>
          {t('shape:key.label')} <code>{field.key}</code>
          {' \u00b7 '}
          {t(field.custom === true ? 'shape:field.fixedOwn' : 'shape:field.fixedBuiltIn')}
        </p>
      )}
      {rest !== null && (
        <p className={css.refused} role="alert">
          {rest}
        </p>
      )}
      <div className={css.foot}>
        <Button onClick={onClose}>{t('common:cancel')}</Button>
        <Button kind="primary" type="submit" loading={busy} disabled={isBlank(draft.label) || !isComplete(draft)}>
          {field === undefined ? t('shape:field.add') : t('common:save')}
        </Button>
      </div>
    </form>
  );
}
