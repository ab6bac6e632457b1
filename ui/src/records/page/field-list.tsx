import { IconChevronRight } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { type Field, type ObjectType, type RecordData, type Ref, trialQuery } from '@/api';
import { isEmptyValue, useFieldContext } from '@/fields';
import { labelText, useLanguage, useTranslation } from '@/i18n';
import { type FieldSection, fieldSections, isConditional } from '@/metadata';
import { cellValue } from '../cell-value';
import { useSaveFields } from '../edit/use-save-fields';
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
  const said = useQuery(trialQuery(object.key, {}, isConditional(object), record)).data;
  const needed = (field: Field) => field.required || said?.required.includes(field.key) === true;
  // What may be hidden is not shown before that is known.
  const hidden = (field: Field) => field.shown_when !== undefined && said?.hidden.includes(field.key) !== false;
  const shownAlways = (field: Field) => needed(field) || !isEmptyValue(cellValue(record, field.key));
  const sections = fieldSections(object).map((section) => ({
    ...section,
    fields: section.fields.filter((field) => field.type !== 'relation_many' && field.key !== 'id' && !hidden(field)),
  }));
  const empty = sections.flatMap((section) => section.fields).filter((field) => !shownAlways(field)).length;
  return (
    <div className={css.fields}>
      {sections.map((section) => {
        const fields = section.fields.filter((field) => all || shownAlways(field));
        if (fields.length === 0) return null;
        return (
          <Section
            key={section.key}
            section={section}
            title={
              labelText(section.title, language) || t(`fields:section.${section.key}`, { defaultValue: section.key })
            }
          >
            <dl className={css.list} data-columns={section.columns}>
              {fields.map((field) => (
                <FieldRow
                  key={field.key}
                  object={object}
                  record={record}
                  field={field}
                  needed={needed(field)}
                  context={context}
                  reveal={reveal}
                  onSave={(value) => void save(record, { [field.key]: value })}
                  onOpenRef={onOpenRef}
                />
              ))}
            </dl>
          </Section>
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

/** A block of fields; one that starts closed opens by its heading. */
function Section({ section, title, children }: { section: FieldSection; title: string; children: ReactNode }) {
  const [open, setOpen] = useState(section.collapsed !== true);
  if (section.collapsed !== true)
    return (
      <section className={css.section}>
        <h2 className={css.heading}>{title}</h2>
        {children}
      </section>
    );
  return (
    <section className={css.section}>
      <h2 className={css.heading}>
        <button type="button" className={css.opener} aria-expanded={open} onClick={() => setOpen(!open)}>
          <IconChevronRight size={14} aria-hidden />
          {title}
        </button>
      </h2>
      {open && children}
    </section>
  );
}
