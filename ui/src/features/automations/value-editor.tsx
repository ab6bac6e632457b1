import { IconTrash } from '@tabler/icons-react';
import type { Field, ObjectType, Setting } from '@/api';
import { OperandEditor } from '@/fields';
import { useLabel, useTranslation } from '@/i18n';
import { findField, useObjects } from '@/metadata';
import { IconButton, NumberInput, Select, TextInput } from '@/ui';
import css from './automations.module.css';
import { type Fault, faultsAt, modeOf, type ValueMode, withMode } from './draft';
import { optionsOf, usePlaces, writable } from './parts';

/** The ways to come to a value that a field has. */
function modesOf(field: Field, creating: boolean): ValueMode[] {
  const modes: ValueMode[] = [];
  const text = field.type === 'text' || field.type === 'long_text';
  const day = field.type === 'date' || field.type === 'datetime';
  if (text) modes.push('text');
  if (day) modes.push('after');
  if (!text && field.type !== 'datetime') modes.push('value');
  modes.push('from');
  if (
    !['relation', 'user', 'record', 'tags', 'multi_choice', 'address', 'birthday', 'phone', 'email'].includes(
      field.type,
    )
  )
    modes.push('formula');
  if (!creating && !field.required) modes.push('clear');
  return modes;
}

interface Props {
  /** The object that is written, and the one that the rule is about. */
  object: ObjectType | undefined;
  about: ObjectType | undefined;
  creating: boolean;
  values: Setting[];
  faults: readonly Fault[];
  onChange: (values: Setting[]) => void;
}

/** Which fields are set, and to what. */
export function ValueEditor({ object, about, creating, values, faults, onChange }: Props) {
  const { t } = useTranslation('automations');
  const label = useLabel();
  const fields = writable(object, creating);
  const free = fields.filter((field) => !values.some((value) => value.field === field.key));
  const set = (at: number, value: Setting) => onChange(values.map((each, other) => (other === at ? value : each)));
  return (
    <div className={css.values}>
      {values.map((value, at) => {
        const field = findField(object, value.field);
        const own = faultsAt(faults, String(at));
        return (
          <div key={value.field} className={css.value}>
            <div className={css.valueName}>{label(field?.label, value.field)}</div>
            {field !== undefined && (
              <OneValue
                field={field}
                about={about}
                creating={creating}
                value={value}
                onChange={(next) => set(at, next)}
              />
            )}
            <IconButton
              label={t('automations:value.remove', { name: label(field?.label, value.field) })}
              icon={<IconTrash size={15} />}
              onClick={() => onChange(values.filter((_, other) => other !== at))}
            />
            {own.length > 0 && (
              <p className={css.fault} role="alert">
                {own.map(({ message }) => message).join(' ')}
              </p>
            )}
          </div>
        );
      })}
      <div className={css.addValue}>
        <Select
          aria-label={t('automations:value.add')}
          placeholder={t('automations:value.add')}
          searchable
          options={optionsOf(free, label)}
          value={null}
          onChange={(key) => {
            const field = findField(object, key ?? '');
            if (field === undefined) return;
            onChange([...values, withMode(field.key, modesOf(field, creating)[0] ?? 'value')]);
          }}
        />
      </div>
    </div>
  );
}

interface OneProps {
  field: Field;
  about: ObjectType | undefined;
  creating: boolean;
  value: Setting;
  onChange: (value: Setting) => void;
}

function OneValue({ field, about, creating, value, onChange }: OneProps) {
  const { t } = useTranslation('automations');
  const mode = modeOf(value);
  const modes = modesOf(field, creating);
  return (
    <div className={css.valueBody}>
      {modes.length > 1 && (
        <div className={css.mode}>
          <Select
            aria-label={t('automations:value.how')}
            options={modes.map((each) => ({ value: each, label: t(`automations:value.mode.${each}`) }))}
            value={mode}
            onChange={(next) => next !== null && next !== mode && onChange(withMode(field.key, next as ValueMode))}
          />
        </div>
      )}
      <ModeInput mode={mode} field={field} about={about} value={value} onChange={onChange} />
    </div>
  );
}

function ModeInput({ mode, field, about, value, onChange }: Omit<OneProps, 'creating'> & { mode: ValueMode }) {
  const { t } = useTranslation('automations');
  const label = useLabel();
  const objects = useObjects();
  const places = usePlaces(about, objects);
  const name = label(field.label, field.key);
  switch (mode) {
    case 'clear':
      return null;
    case 'text':
      return (
        <TemplateInput
          label={name}
          about={about}
          value={value.text ?? ''}
          onChange={(text) => onChange({ field: field.key, text })}
        />
      );
    case 'from':
      return (
        <div className={css.wide}>
          <Select
            aria-label={name}
            placeholder={t('automations:value.choose')}
            searchable
            options={places}
            value={value.from || null}
            onChange={(from) => onChange({ field: field.key, from: from ?? '' })}
          />
        </div>
      );
    case 'formula':
      return (
        <div className={css.wide}>
          <TextInput
            aria-label={name}
            placeholder={t('automations:value.formulaHint')}
            value={value.formula ?? ''}
            onChange={(formula) => onChange({ field: field.key, formula })}
          />
        </div>
      );
    case 'after':
      return (
        <div className={css.inline}>
          <div className={css.small}>
            <NumberInput
              aria-label={t('automations:value.days')}
              value={value.after?.days ?? 0}
              decimals={0}
              onChange={(days) => onChange({ field: field.key, after: { ...value.after, days: days ?? 0 } })}
            />
          </div>
          <span className="muted">{t('automations:value.daysAfter')}</span>
          {field.type === 'datetime' && (
            <div className={css.small}>
              <TextInput
                type="time"
                aria-label={t('automations:value.time')}
                value={value.after?.at ?? '18:00'}
                onChange={(at) => onChange({ field: field.key, after: { days: value.after?.days ?? 0, at } })}
              />
            </div>
          )}
        </div>
      );
    case 'value':
      return (
        <div className={css.wide}>
          <OperandEditor
            field={field}
            op={field.type === 'tags' || field.type === 'multi_choice' ? 'in' : '='}
            value={value.value}
            label={name}
            onChange={(next) => onChange({ field: field.key, value: next })}
          />
        </div>
      );
  }
}

interface TemplateProps {
  label: string;
  about: ObjectType | undefined;
  value: string;
  onChange: (value: string) => void;
  long?: boolean;
}

/** A text with places such as {name}; the list beside it puts one in. */
export function TemplateInput({ label, about, value, onChange }: TemplateProps) {
  const { t } = useTranslation('automations');
  const objects = useObjects();
  const places = usePlaces(about, objects);
  return (
    <div className={css.template}>
      <TextInput aria-label={label} value={value} onChange={onChange} placeholder={t('automations:value.textHint')} />
      <div className={css.places}>
        <Select
          aria-label={t('automations:value.place')}
          placeholder={t('automations:value.place')}
          searchable
          options={places}
          value={null}
          onChange={(place) => place !== null && onChange(`${value}{${place}}`)}
        />
      </div>
    </div>
  );
}
