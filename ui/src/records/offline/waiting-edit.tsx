import { useState } from 'react';
import { type FieldValues, isActivity, type ObjectType, type Waiting } from '@/api';
import { FieldEditor, isEmptyValue, kindOf } from '@/fields';
import { labelText, useLanguage, useTranslation } from '@/i18n';
import { findField } from '@/metadata';
import { Button, Modal } from '@/ui';
import { toCreate } from '../edit/draft';
import { ASKED, WIDE } from '../work/activity-form';
import css from '../work/composer.module.css';
import { titleOf } from '../work/save-activity';

interface Props {
  item: Waiting;
  object: ObjectType;
  onClose: () => void;
  onSave: (fields: FieldValues, write: FieldValues, title: string) => void;
}

/** Changes what was written before it is sent; what the server refused stands at its field. */
export function WaitingEdit({ item, object, onClose, onSave }: Props) {
  const { t } = useTranslation(['offline', 'common', 'records']);
  const language = useLanguage();
  const [values, setValues] = useState(item.fields);
  const [touched, setTouched] = useState<readonly string[]>([]);
  const [lacking, setLacking] = useState<readonly string[]>([]);
  const create = item.kind === 'create';
  const asked = create && isActivity(object.key) ? ASKED[object.key] : Object.keys(item.fields);
  const refused = item.errors.map((error) => error.location.split('.').at(-1) ?? '');
  const keys = [...new Set([...asked, ...refused])];
  const fields = keys.map((key) => findField(object, key)).filter((field) => field !== undefined);
  const errorOf = (key: string) => {
    if (lacking.includes(key)) return t('records:form.needed');
    if (touched.includes(key)) return undefined;
    return item.errors.find((error) => error.location === key || error.location.endsWith(`.${key}`))?.message;
  };
  const save = () => {
    const missing = fields.filter((field) => field.required && isEmptyValue(values[field.key])).map((each) => each.key);
    setLacking(missing);
    if (missing.length > 0) return;
    const write = create
      ? toCreate(object, values)
      : Object.fromEntries(fields.map((field) => [field.key, kindOf(field.type).toWrite(values[field.key])]));
    onSave(values, write, create ? titleOf(object, values) : item.title);
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('offline:editTitle', { kind: labelText(object.label, language, object.key) })}
      size={560}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" onClick={save}>
            {t('common:save')}
          </Button>
        </>
      }
    >
      <div className={css.fields}>
        {fields.map((field) => (
          <div key={field.key} className={css.field} data-wide={WIDE.has(field.key) || undefined}>
            <FieldEditor
              field={field}
              value={values[field.key]}
              onChange={(value) => {
                setValues((old) => ({ ...old, [field.key]: value }));
                setTouched((old) => [...old, field.key]);
                setLacking((old) => old.filter((key) => key !== field.key));
              }}
              label={labelText(field.label, language, field.key)}
              error={errorOf(field.key)}
              required={field.required}
            />
          </div>
        ))}
      </div>
    </Modal>
  );
}
