import { IconDots } from '@tabler/icons-react';
import { type KeyboardEvent, type MouseEvent, memo } from 'react';
import type { RecordData } from '@/api';
import { type FieldContext, isEmptyValue, kindOf } from '@/fields';
import { useTranslation } from '@/i18n';
import { Avatar, IconButton, Menu } from '@/ui';
import { cellValue } from '../cell-value';
import type { GridColumn } from '../grid/columns';
import css from './board.module.css';

const MOST = 6;

/** The chosen fields of a record that have a value, for cards. */
export function CardFacts({
  record,
  columns,
  context,
  most = MOST,
}: {
  record: RecordData;
  columns: readonly GridColumn[];
  context: FieldContext;
  most?: number;
}) {
  const shown = columns.filter((column) => !isEmptyValue(cellValue(record, column.key))).slice(0, most);
  if (shown.length === 0) return null;
  return (
    <dl className={css.facts}>
      {shown.map((column) => (
        <div key={column.key} className={css.fact}>
          <dt>{column.label}</dt>
          <dd>{kindOf(column.field.type).display(cellValue(record, column.key), column.field, context)}</dd>
        </div>
      ))}
    </dl>
  );
}

interface CardProps {
  record: RecordData;
  href: string;
  avatar: boolean;
  columns: readonly GridColumn[];
  context: FieldContext;
  movable: boolean;
  dragged: boolean;
  picked: boolean;
  targets: readonly { key: string; title: string }[];
  here: string;
  onOpen: (record: RecordData) => void;
  onMove: (record: RecordData, to: string) => void;
  onKey: (event: KeyboardEvent, record: RecordData) => void;
}

export const Card = memo(function Card(props: CardProps) {
  const { record, columns, context, movable } = props;
  const { t } = useTranslation('views');
  return (
    <li
      className={css.card}
      data-drag={movable ? record.id : undefined}
      data-dragged={props.dragged || undefined}
      data-picked={props.picked || undefined}
    >
      <div className={css.cardTop}>
        {props.avatar && <Avatar name={record.title} size={20} />}
        <a
          className={css.cardTitle}
          href={props.href}
          draggable={false}
          data-card={record.id}
          aria-describedby={movable ? 'board-keys' : undefined}
          onClick={(event: MouseEvent) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey) return;
            event.preventDefault();
            props.onOpen(record);
          }}
          onKeyDown={(event) => props.onKey(event, record)}
        >
          {record.title || record.id}
        </a>
        {movable && (
          <span data-no-drag>
            <Menu
              target={
                <IconButton
                  size="sm"
                  tooltip={false}
                  className={css.cardMenu ?? ''}
                  label={t('board.moveOne', { name: record.title || record.id })}
                  icon={<IconDots size={15} />}
                />
              }
              entries={[
                { heading: t('board.moveTo') },
                ...props.targets.map((target) => ({
                  label: target.title,
                  checked: target.key === props.here,
                  disabled: target.key === props.here,
                  onSelect: () => props.onMove(record, target.key),
                })),
              ]}
            />
          </span>
        )}
      </div>
      <CardFacts record={record} columns={columns} context={context} />
    </li>
  );
});
