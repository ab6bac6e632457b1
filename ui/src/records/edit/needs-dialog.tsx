import { useState } from 'react';
import type { Field, FieldValues } from '@/api';
import { FieldEditor, isEmptyValue } from '@/fields';
import { labelText, useLanguage, useTranslation } from '@/i18n';
import { Button, Modal } from '@/ui';
import css from './conflict.module.css';

interface Props {
  fields: readonly Field[];
  /** What the server said of each, by key. */
  messages: Readonly<Record<string, string>>;
  onSave: (values: FieldValues) => void;
  onClose: () => void;
}

/** A change that asks for more: the fields that must be filled in with it, saved together. */
export function NeedsDialog({ fields, messages, onSave, onClose }: Props) {
  const { t } = useTranslation(['layout', 'common', 'fields']);
  const language = useLanguage();
  const [values, setValues] = useState<FieldValues>({});
  const ready = fields.every((field) => !isEmptyValue(values[field.key]));
  return (
    <Modal opened onClose={onClose} title={t('layout:needs.title')}>
      <form
        className={css.needs}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) onSave(values);
        }}
      >
        <p className="muted">{t('layout:needs.text')}</p>
        {fields.map((field, at) => (
          <FieldEditor
            key={field.key}
            field={field}
            value={values[field.key]}
            onChange={(value) => setValues((old) => ({ ...old, [field.key]: value }))}
            label={labelText(field.label, language, field.key)}
            description={messages[field.key]}
            required
            autoFocus={at === 0}
          />
        ))}
        <div className={css.needsFoot}>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" type="submit" disabled={!ready}>
            {t('common:save')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
