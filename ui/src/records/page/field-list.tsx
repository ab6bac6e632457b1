import { useState } from 'react';
import type { Field, ObjectType, RecordData, Ref } from '@/api';
import { isEmptyValue, useFieldContext } from '@/fields';
import { labelText, useLanguage, useTranslation } from '@/i18n';
import { fieldSections } from '@/metadata';
import { useSaveFields } from '../edit/use-save-fields';
import { cellValue } from '../grid/columns';
import { FieldRow } from './field-row';
import css from './fields.module.css';
import { useReveal } from './use-reveal';

interface Props {
  object: ObjectType;
  record: RecordData;
  onOpenRef: (ref: Ref) => void;
}

/** The fields of a record by section, each edited where it stands. Empty ones wait behind a button. */
export function FieldList({ object, record, onOpenRef }: Props) {
  const { t } = useTranslation(['records', 'fields']);
  const language = useLanguage();
  const context = useFieldContext();
  const reveal = useReveal(object.key, record.id);
  const { save, dialog } = useSaveFields(object, (field) => labelText(field.label, language, field.key));
  const [all, setAll] = useState(false);
  const shownAlways = (field: Field) => field.required || !isEmptyValue(cellValue(record, field.key));
  const sections = fieldSections(object).map((section) => ({
    ...section,
    fields: section.fields.filter((field) => field.type !== 'relation_many' && field.key !== 'id'),
  }));
  const empty = sections.flatMap((section) => section.fields).filter((field) => !shownAlways(field)).length;
  return (
    <div className={css.fields}>
      {sections.map((section) => {
        const fields = section.fields.filter((field) => all || shownAlways(field));
        if (fields.length === 0) return null;
        return (
          <section key={section.key} className={css.section}>
            <h2 className={css.heading}>{t(`fields:section.${section.key}`, { defaultValue: section.key })}</h2>
            <dl className={css.list}>
              {fields.map((field) => (
                <FieldRow
                  key={field.key}
                  object={object}
                  record={record}
                  field={field}
                  context={context}
                  reveal={reveal}
                  onSave={(value) => void save(record, { [field.key]: value })}
                  onOpenRef={onOpenRef}
                />
              ))}
            </dl>
          </section>
        );
      })}
      {empty > 0 && (
        <button type="button" className={css.toggle} aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? t('records:page.hideEmpty') : t('records:page.showEmpty', { count: empty })}
        </button>
      )}
      {dialog}
    </div>
  );
}
