import type { KeyboardEvent, MouseEvent } from 'react';
import type { Field, RecordData } from '@/api';
import type { FieldContext } from '@/fields';
import { cellValue } from '../cell-value';
import type { GridColumn } from '../grid/columns';
import css from './calendar.module.css';

interface Props {
  record: RecordData;
  field: Field;
  /** The choice whose colour the record has. */
  tint: GridColumn | undefined;
  context: FieldContext;
  href: string;
  movable: boolean;
  dragged: boolean;
  onOpen: (record: RecordData) => void;
  onKey: (event: KeyboardEvent, record: RecordData) => void;
}

/** A record on its day. */
export function Event({ record, field, tint, context, href, movable, dragged, onOpen, onKey }: Props) {
  const value = cellValue(record, field.key);
  const key = tint === undefined ? undefined : cellValue(record, tint.key);
  const color = tint?.field.options?.find((option) => option.key === key)?.color ?? 'gray';
  const time = field.type === 'datetime' && typeof value === 'string' ? context.fmt.time(value) : '';
  return (
    <a
      className={css.event}
      href={href}
      draggable={false}
      data-card={record.id}
      data-drag={movable ? record.id : undefined}
      data-dragged={dragged || undefined}
      style={{ background: `var(--tag-${color}-bg)`, color: `var(--tag-${color}-fg)` }}
      title={record.title}
      aria-describedby={movable ? 'calendar-keys' : undefined}
      onClick={(event: MouseEvent) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        onOpen(record);
      }}
      onKeyDown={(event) => onKey(event, record)}
    >
      {time !== '' && <span className={css.time}>{time}</span>}
      <span className="truncate">{record.title || record.id}</span>
    </a>
  );
}
