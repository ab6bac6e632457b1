import { memo, type ReactNode } from 'react';
import type { RecordData } from '@/api';
import { type FieldContext, kindOf } from '@/fields';
import { cx } from '@/lib/cx';
import { Avatar } from '@/ui';
import { cellValue } from '../cell-value';
import type { GridColumn } from './columns';
import css from './grid.module.css';
import { CHECK } from './use-viewport';

export interface RowProps {
  gridId: string;
  row: number;
  /** How many rows stand before the first: on a later page. */
  offset: number;
  top: number;
  record: RecordData | undefined;
  columns: readonly GridColumn[];
  columnFirst: number;
  columnEnd: number;
  lead: number;
  /** Left edges of the columns that stay in sight. */
  lefts: readonly number[];
  context: FieldContext;
  href: string;
  avatar: boolean;
  selected: boolean;
  peeked: boolean;
  /** The active column of this row, or -1. */
  active: number;
  /** The chosen cells of this row: first and last column, -1 for none. */
  rangeFrom: number;
  rangeTo: number;
  /** Column and editor of the cell that is being edited. */
  editing: number;
  editor: ReactNode;
}

export const cellId = (gridId: string, row: number, column: number): string => `${gridId}-r${row}-c${column}`;

function TitleCell({ record, href, avatar }: { record: RecordData; href: string; avatar: boolean }) {
  return (
    <>
      {avatar && <Avatar name={record.title} size={20} />}
      <a className={css.titleLink} href={href} tabIndex={-1} data-open draggable={false}>
        {record.title || record.id}
      </a>
    </>
  );
}

/** Display only: no hooks, no handlers, no state. The grid listens for all of its rows. */
export const GridRow = memo(function GridRow(props: RowProps) {
  const { gridId, row, top, record, columns, columnFirst, columnEnd, context, active, editing } = props;
  const cell = (at: number) => {
    const column = columns[at];
    if (column === undefined) return null;
    const isEditing = editing === at;
    const left = props.lefts[at];
    let content: ReactNode = <span className={css.bone} style={{ width: `${40 + ((row * 7 + at * 13) % 40)}%` }} />;
    if (isEditing) content = props.editor;
    else if (record !== undefined && at === 0)
      content = <TitleCell record={record} href={props.href} avatar={props.avatar} />;
    else if (record !== undefined)
      content = kindOf(column.field.type).display(cellValue(record, column.key), column.field, context);
    // Plain text in a flex box has no ellipsis of its own.
    if (typeof content === 'string') content = <span className="truncate">{content}</span>;
    return (
      <div
        key={column.key}
        id={cellId(gridId, row, at)}
        role="gridcell"
        aria-colindex={at + 2}
        data-col={at}
        className={cx(
          css.cell,
          left !== undefined && css.frozen,
          column.align === 'right' && css.right,
          at >= props.rangeFrom && at <= props.rangeTo && css.inRange,
          active === at && css.active,
          isEditing && css.editing,
        )}
        style={left === undefined ? { width: column.width } : { width: column.width, left: CHECK + left }}
      >
        {content}
      </div>
    );
  };
  const middle: ReactNode[] = [];
  for (let at = Math.max(props.lefts.length, columnFirst); at < Math.min(columnEnd, columns.length); at++)
    middle.push(cell(at));
  return (
    <div
      role="row"
      aria-rowindex={props.offset + row + 2}
      aria-selected={props.selected}
      data-row={row}
      className={cx(css.row, props.selected && css.selected, props.peeked && css.peeked, active >= 0 && css.activeRow)}
      style={{ top }}
    >
      <div role="gridcell" aria-colindex={1} className={css.check} data-check style={{ width: CHECK }}>
        <span className={css.box} data-checked={props.selected || undefined} aria-hidden />
      </div>
      {props.lefts.map((_, at) => cell(at))}
      {props.lead > 0 && <div role="presentation" style={{ width: props.lead, flex: 'none' }} />}
      {middle}
    </div>
  );
});
