import { IconEye, IconEyeOff, IconLock, IconPencil } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import type { Field, ObjectType, RecordData, Ref } from '@/api';
import { type FieldContext, FieldView, isEmptyValue, isRef } from '@/fields';
import { labelText, useTranslation } from '@/i18n';
import { canEdit, sectionOf, useCan } from '@/metadata';
import { IconButton, Tooltip } from '@/ui';
import { cellValue } from '../cell-value';
import { InlineEditor, readyToEdit } from '../edit/lazy-inline-editor';
import css from './fields.module.css';
import type { Reveal } from './use-reveal';

interface Props {
  object: ObjectType;
  record: RecordData;
  field: Field;
  /** It must have a value, always or as the record is. */
  needed?: boolean;
  context: FieldContext;
  reveal: Reveal;
  onSave: (value: unknown) => void;
  onOpenRef: (ref: Ref) => void;
}

/** A link or a picture in the value: the value itself cannot be the button then. */
const LIVE = new Set<Field['type']>(['relation', 'record', 'url', 'file', 'image']);

const FILES = new Set<Field['type']>(['file', 'image']);

export function FieldRow({ object, record, field, needed, context, reveal, onSave, onOpenRef }: Props) {
  const { t } = useTranslation(['records', 'fields']);
  const can = useCan();
  const [editing, setEditing] = useState(false);
  const row = useRef<HTMLDivElement>(null);
  const value = cellValue(record, field.key);
  const name = labelText(field.label, context.language, field.key);
  const masked = record.masked?.includes(field.key) === true;
  const clear = masked ? reveal.shown(field.key) : undefined;
  const editable = canEdit(field, object) && record.may?.update !== false && record.deleted_at === null;
  // Where nothing can be changed anyway, a lock on every line says nothing.
  const locked =
    object.actions.update &&
    field.access === 'read' &&
    sectionOf(field) !== 'system' &&
    !field.read_only &&
    field.type !== 'auto_number';

  const close = () => {
    setEditing(false);
    requestAnimationFrame(() => row.current?.querySelector<HTMLElement>('button')?.focus());
  };
  const live = LIVE.has(field.type) && !(FILES.has(field.type) && isEmptyValue(value));
  const view = <FieldView field={field} value={clear ?? value} context={context} />;
  const content = () => {
    if (editing)
      return (
        <InlineEditor
          place="row"
          field={field}
          label={name}
          value={value}
          masked={masked}
          onCommit={(next) => {
            close();
            onSave(next);
          }}
          onCancel={close}
        />
      );
    if ((field.type === 'relation' || field.type === 'record') && isRef(value))
      return (
        <button type="button" className={css.link} onClick={() => onOpenRef(value)}>
          {value.title || value.id}
        </button>
      );
    if (!editable || live) return <span className={css.plain}>{view}</span>;
    return (
      <button type="button" className={css.value} onClick={() => setEditing(true)}>
        <span className="sr-only">{t('records:edit.field', { name })} </span>
        {view}
      </button>
    );
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: fetches the editor ahead; what can be pressed lies inside.
    <div className={css.row} ref={row} onPointerEnter={readyToEdit} onFocus={readyToEdit}>
      <dt className={css.label} title={field.help === undefined ? undefined : labelText(field.help, context.language)}>
        {name}
        {needed === true && isEmptyValue(value) && (
          <>
            <span className={css.needed} aria-hidden>
              *
            </span>
            <span className="sr-only"> {t('records:form.needed')}</span>
          </>
        )}
      </dt>
      <dd className={css.data}>
        {content()}
        {!editing && editable && live && (
          <IconButton
            size="sm"
            tooltip={false}
            className={css.quiet ?? ''}
            label={t('records:edit.field', { name })}
            icon={<IconPencil size={14} />}
            onClick={() => setEditing(true)}
          />
        )}
        {!editing && locked && !isEmptyValue(value) && (
          <Tooltip label={t('records:page.readOnly')}>
            <IconLock size={13} className={css.lock} aria-label={t('records:page.readOnly')} />
          </Tooltip>
        )}
        {!editing &&
          masked &&
          field.masked !== true &&
          record.may?.reveal !== false &&
          can('personal.reveal') &&
          clear === undefined && (
            <button
              type="button"
              className={css.reveal}
              disabled={reveal.pending !== null}
              onClick={() => void reveal.reveal(field.key)}
            >
              <IconEye size={14} />
              {t('fields:reveal')}
              <span className="sr-only"> {name}</span>
            </button>
          )}
        {!editing && clear !== undefined && (
          <button type="button" className={css.reveal} onClick={reveal.hide}>
            <IconEyeOff size={14} aria-label={t('records:page.hide')} />
            {t('records:page.revealed', { count: reveal.secondsLeft })}
          </button>
        )}
      </dd>
    </div>
  );
}
