import { IconX } from '@tabler/icons-react';
import { useId, useState } from 'react';
import type { Field, MergeField, MergePreview, ObjectType, RecordData } from '@/api';
import { FieldView, isEmptyValue, useFieldContext } from '@/fields';
import { labelText, useFormat, useTranslation } from '@/i18n';
import { findField } from '@/metadata';
import { IconButton, Pill } from '@/ui';
import css from './merge.module.css';

interface Props {
  object: ObjectType;
  preview: MergePreview;
  chosen: Record<string, string>;
  onChoose: (field: string, from: string) => void;
  onSurvivor: (id: string) => void;
  onDrop: ((id: string) => void) | undefined;
}

/** A column for each record, a row for each field; in every row the value that stays is chosen. */
export function Comparison({ object, preview, chosen, onChoose, onSurvivor, onDrop }: Props) {
  const { t } = useTranslation('merge');
  const fmt = useFormat();
  const name = useId();
  const [all, setAll] = useState(false);
  const { records, survivor } = preview;
  const rows = preview.fields.filter((row) => row.differs || all);
  const same = preview.fields.length - preview.fields.filter((row) => row.differs).length;
  return (
    <section
      className={css.frame}
      aria-label={t('merge:compare')}
      style={{ '--records': records.length } as React.CSSProperties}
    >
      <div className={css.heads}>
        <span className={css.corner}>{t('merge:keep')}</span>
        {records.map((record) => (
          <div key={record.id} className={css.head} data-on={record.id === survivor || undefined}>
            <label className={css.keep}>
              <input
                type="radio"
                name={name}
                checked={record.id === survivor}
                onChange={() => onSurvivor(record.id)}
                aria-label={t('merge:keepThis', { name: record.title || record.id })}
              />
              <span className={css.title}>{record.title || record.id}</span>
            </label>
            <span className={css.when}>
              {t('merge:created', { when: fmt.date(record.created_at) })} {'\u00b7'}{' '}
              {t('merge:updated', { when: fmt.relative(record.updated_at) })}
            </span>
            {record.id === survivor && <Pill color="teal">{t('merge:stays')}</Pill>}
            {onDrop !== undefined && (
              <span className={css.drop}>
                <IconButton
                  size="sm"
                  label={t('merge:drop', { name: record.title || record.id })}
                  icon={<IconX size={13} />}
                  onClick={() => onDrop(record.id)}
                />
              </span>
            )}
          </div>
        ))}
      </div>
      {rows.map((row) => {
        const field = findField(object, row.field);
        if (field === undefined) return null;
        return (
          <Row
            key={row.field}
            field={field}
            row={row}
            records={records}
            value={chosen[row.field] ?? row.from}
            onChoose={(from) => onChoose(row.field, from)}
          />
        );
      })}
      {same > 0 && (
        <button type="button" className={css.toggle} aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? t('merge:hideSame') : t('merge:showSame', { count: same })}
        </button>
      )}
    </section>
  );
}

interface RowProps {
  field: Field;
  row: MergeField;
  records: readonly RecordData[];
  value: string;
  onChoose: (from: string) => void;
}

function Row({ field, row, records, value, onChoose }: RowProps) {
  const { t } = useTranslation('merge');
  const context = useFieldContext();
  const group = useId();
  const label = labelText(field.label, context.language, field.key);
  const option = (from: string, name: string, content: React.ReactNode, className = '') => (
    <label key={from} className={`${css.option} ${className}`} data-on={value === from || undefined}>
      <input
        type="radio"
        name={group}
        checked={value === from}
        disabled={!row.differs}
        onChange={() => onChoose(from)}
        aria-label={t('merge:take', { field: label, name })}
      />
      <span className={css.value}>
        <span className={css.whose}>{name}</span>
        {content}
      </span>
    </label>
  );
  return (
    <fieldset className={css.row}>
      <legend className="sr-only">{label}</legend>
      <span className={css.label} aria-hidden>
        {label}
      </span>
      {records.map((record) =>
        option(
          record.id,
          record.title || record.id,
          isEmptyValue(record.fields[field.key]) ? (
            <span className="muted">{t('merge:none')}</span>
          ) : (
            <FieldView field={field} value={record.fields[field.key]} context={context} />
          ),
        ),
      )}
      {row.can_unite && row.differs && option('united', t('merge:united'), null, css.united)}
    </fieldset>
  );
}
