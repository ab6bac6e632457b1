import { type MouseEvent, useEffect, useId, useMemo, useRef, useState } from 'react';
import type { RecordData, RecordQuery, Sort } from '@/api';
import { kindOf, useFieldContext } from '@/fields';
import { cx } from '@/lib/cx';
import { useEvent } from '@/lib/hooks';
import type { Move } from '../edit/inline-editor';
import { InlineEditor, readyToEdit } from '../edit/lazy-inline-editor';
import { cellValue, columnEdges, type GridColumn } from './columns';
import css from './grid.module.css';
import { GridHeader } from './grid-header';
import { cellId, GridRow } from './grid-row';
import {
  extend,
  headerState,
  isNothing,
  isSelected,
  NOTHING,
  type Selection,
  selectAll,
  selectIds,
  toggle,
} from './selection';
import { type Active, handleGridKey } from './use-grid-keys';
import { useRows } from './use-rows';
import { CHECK, START_VIEW, useViewport } from './use-viewport';
import { scrollHeight } from './windowing';

export interface GridProps {
  label: string;
  object: string;
  query: RecordQuery;
  columns: readonly GridColumn[];
  sort: readonly Sort[];
  selection: Selection;
  /** Exact, when somebody asked for it; else -1 tells assistive technology that nobody knows. */
  exactTotal: number | null;
  avatar: boolean;
  peeked: string | undefined;
  hrefOf: (record: RecordData) => string;
  onSelect: (selection: Selection) => void;
  onSort: (column: GridColumn, add: boolean) => void;
  onResize: (key: string, width: number | null) => void;
  onMove: (key: string, to: number) => void;
  onOpen: (record: RecordData, how: 'page' | 'peek' | 'tab', row: number) => void;
  onEdit: (record: RecordData, column: GridColumn, value: unknown) => void;
  /** The row one moves to, so that an open side panel can follow. */
  onActive?: (record: RecordData) => void;
}

const numberAt = (element: Element | null, name: 'row' | 'col' | 'head'): number | null => {
  const text = element?.closest<HTMLElement>(`[data-${name}]`)?.dataset[name];
  return text === undefined ? null : Number(text);
};

/**
 * A grid over any number of records. What is shown is plain markup without state; one set of listeners on the grid
 * does all the work: a single cell at a time can be active, and at most one has an editor.
 */
export function Grid(props: GridProps) {
  const { object, query, columns, selection, onSelect } = props;
  const gridId = useId();
  const grid = useRef<HTMLDivElement>(null);
  const context = useFieldContext();
  const [view, setView] = useState(START_VIEW);
  const [active, setActive] = useState<Active | null>(null);
  const [editing, setEditing] = useState<Active | null>(null);
  const rows = useRows(object, query, view);
  const { fields: _, traits: __, ...question } = query;
  const resetKey = JSON.stringify([object, question]);
  const { geometry, handleScroll, showRow, showColumn } = useViewport({
    grid,
    count: rows.count,
    columns,
    resetKey,
    view,
    setView,
  });

  const shown = useRef(resetKey);
  useEffect(() => {
    if (shown.current === resetKey) return;
    shown.current = resetKey;
    setActive(null);
    setEditing(null);
  }, [resetKey]);

  const edges = useMemo(() => columnEdges(columns), [columns]);
  const lead = edges[view.columnFirst - 1] ?? 0;
  const width = CHECK + (columns[0]?.width ?? 0) + (edges.at(-1) ?? 0);
  const idAt = (row: number) => rows.rowAt(row)?.id;

  const stopEditing = () => {
    setEditing(null);
    grid.current?.focus({ preventScroll: true });
  };
  const move = (to: Active) => {
    setActive(to);
    if (to.row >= 0) showRow(to.row);
    showColumn(to.column);
    const record = to.row >= 0 ? rows.rowAt(to.row) : undefined;
    if (record !== undefined && to.row !== active?.row) props.onActive?.(record);
  };
  const edit = (at: Active): boolean => {
    const column = columns[at.column];
    if (column === undefined || !column.editable || rows.rowAt(at.row) === undefined) return false;
    if (query.deleted) return false;
    setEditing(at);
    return true;
  };
  const enter = (at: Active, how: 'enter' | 'edit' | 'peek' | 'tab') => {
    const column = columns[at.column];
    if (at.row < 0) {
      if (column?.sortable) props.onSort(column, false);
      return;
    }
    const record = rows.rowAt(at.row);
    if (record === undefined) return;
    if (how === 'edit' || (how === 'enter' && at.column > 0)) {
      if (edit(at) || how === 'edit') return;
    }
    props.onOpen(record, how === 'peek' || how === 'tab' ? how : 'page', at.row);
  };
  const toggleRow = (row: number, stretch: boolean) => {
    const id = idAt(row);
    if (id === undefined) return;
    onSelect(stretch ? extend(selection, row, idAt) : toggle(selection, id, row));
  };

  const onKeyDown = useEvent((event: React.KeyboardEvent) => {
    if (editing !== null || event.target !== grid.current) return;
    const handled = handleGridKey(event, {
      active,
      rows: rows.count,
      columns: columns.length,
      page: Math.floor(geometry.viewport / geometry.rowHeight) - 1,
      move: (to, stretch) => {
        move(to);
        const id = idAt(to.row);
        if (stretch && id !== undefined && active !== null) {
          const from = selection.anchor === null ? toggle(NOTHING, idAt(active.row) ?? id, active.row) : selection;
          onSelect(extend(from, to.row, idAt));
        }
      },
      enter,
      toggle: toggleRow,
      selectAll: () => onSelect(selectAll()),
      clear: (at) => {
        const record = rows.rowAt(at.row);
        const column = columns[at.column];
        if (record !== undefined && column?.editable && !column.field.required && at.column > 0 && !query.deleted)
          props.onEdit(record, column, null);
      },
      escape: () => {
        if (!isNothing(selection)) onSelect(NOTHING);
        else return false;
        return true;
      },
      moveColumn: (column, by) => {
        const key = columns[column]?.key;
        const to = Math.max(1, Math.min(columns.length - 1, column + by));
        if (key === undefined || column === 0) return;
        props.onMove(key, to);
        setActive({ row: -1, column: to });
      },
      resizeColumn: (column, by) => {
        const target = columns[column];
        if (target !== undefined) props.onResize(target.key, target.width + by);
      },
    });
    if (handled) event.preventDefault();
  });

  const onClick = useEvent((event: MouseEvent) => {
    const target = event.target as Element;
    const row = numberAt(target, 'row');
    if (row === null || target.closest(`.${css.editing}`) !== null) return;
    const record = rows.rowAt(row);
    if (target.closest('[data-check]') !== null) {
      if (row !== null) toggleRow(row, event.shiftKey);
      setActive({ row, column: 0 });
      return;
    }
    const column = numberAt(target, 'col') ?? 0;
    if (target.closest('[data-open]') !== null && record !== undefined) {
      // The browser's own ways to open a link in another place stay its own.
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      setActive({ row, column: 0 });
      props.onOpen(record, 'peek', row);
      return;
    }
    if (event.shiftKey) {
      toggleRow(row, true);
      return;
    }
    move({ row, column });
  });
  const onDoubleClick = useEvent((event: MouseEvent) => {
    const row = numberAt(event.target as Element, 'row');
    const column = numberAt(event.target as Element, 'col');
    if (row === null || column === null || (event.target as Element).closest(`.${css.editing}`) !== null) return;
    edit({ row, column });
  });
  const onCopy = useEvent((event: React.ClipboardEvent) => {
    if (editing !== null || active === null || active.row < 0 || !getSelection()?.isCollapsed) return;
    const record = rows.rowAt(active.row);
    const column = columns[active.column];
    if (record === undefined || column === undefined) return;
    event.clipboardData.setData(
      'text/plain',
      kindOf(column.field.type).text(cellValue(record, column.key), column.field, context),
    );
    event.preventDefault();
  });
  const onPaste = useEvent((event: React.ClipboardEvent) => {
    if (editing !== null || active === null || active.row < 0 || query.deleted) return;
    const record = rows.rowAt(active.row);
    const column = columns[active.column];
    if (record === undefined || !column?.editable) return;
    const parsed = kindOf(column.field.type).parse(event.clipboardData.getData('text/plain'), column.field, context);
    if (parsed.ok) props.onEdit(record, column, parsed.value);
    event.preventDefault();
  });

  const commit = (record: RecordData, column: GridColumn, value: unknown, then: Move) => {
    const at = editing;
    stopEditing();
    props.onEdit(record, column, value);
    if (at === null || then === 'stay') return;
    if (then === 'down') move({ row: Math.min(at.row + 1, rows.count - 1), column: at.column });
    else move({ row: at.row, column: Math.min(at.column + 1, columns.length - 1) });
  };
  const editorFor = (row: number, record: RecordData | undefined) => {
    const column = editing?.row === row ? columns[editing.column] : undefined;
    if (editing === null || column === undefined || record === undefined) return null;
    return (
      <InlineEditor
        place="cell"
        key={`${record.id}:${column.key}`}
        field={column.field}
        label={column.label}
        value={cellValue(record, column.key)}
        masked={record.masked?.includes(column.key) === true}
        onCommit={(value, then) => commit(record, column, value, then)}
        onCancel={stopEditing}
      />
    );
  };

  const drawn = [];
  const end = Math.min(view.end, rows.count);
  for (let row = view.first; row < end; row++) {
    const record = rows.rowAt(row);
    drawn.push(
      <GridRow
        key={row}
        gridId={gridId}
        row={row}
        top={(row - view.anchor) * geometry.rowHeight}
        record={record}
        columns={columns}
        columnFirst={view.columnFirst}
        columnEnd={view.columnEnd}
        lead={lead}
        context={context}
        href={record === undefined ? '' : props.hrefOf(record)}
        avatar={props.avatar}
        selected={record !== undefined && isSelected(selection, record.id)}
        peeked={record !== undefined && record.id === props.peeked}
        active={active?.row === row ? active.column : -1}
        editing={editing?.row === row ? editing.column : -1}
        editor={editorFor(row, record)}
      />,
    );
  }
  const loaded = (): string[] => {
    const ids: string[] = [];
    for (let row = 0; row < rows.count; row++) {
      const id = idAt(row);
      if (id !== undefined) ids.push(id);
    }
    return ids;
  };
  const visibleIds = drawn
    .map((element) => (element.props as { record?: RecordData }).record?.id ?? '')
    .filter(Boolean);
  const inSight = active !== null && (active.row < 0 || (active.row >= view.first && active.row < end));
  const activeId = active !== null && active.row < 0 ? `${gridId}-h${active.column}` : undefined;
  return (
    <div
      ref={grid}
      role="grid"
      aria-label={props.label}
      aria-rowcount={props.exactTotal === null ? -1 : props.exactTotal + 1}
      aria-colcount={columns.length + 1}
      aria-multiselectable
      aria-busy={rows.stale || rows.first.isPending}
      {...(inSight &&
        active !== null && { 'aria-activedescendant': activeId ?? cellId(gridId, active.row, active.column) })}
      tabIndex={0}
      className={cx(css.grid, rows.stale && css.stale)}
      onScroll={handleScroll}
      onKeyDown={onKeyDown}
      onMouseDown={(event) => {
        // A link would take the focus, and with it the keys, away from the grid.
        if (event.button !== 0 || (event.target as Element).closest('[data-open]') === null) return;
        event.preventDefault();
        grid.current?.focus({ preventScroll: true });
      }}
      onClick={onClick}
      onDoubleClick={onDoubleClick}
      onCopy={onCopy}
      onPaste={onPaste}
      onPointerEnter={readyToEdit}
      onFocus={(event) => {
        readyToEdit();
        if (
          event.target === grid.current &&
          active === null &&
          rows.count > 0 &&
          event.target.matches(':focus-visible')
        )
          setActive({ row: Math.min(view.first === 0 ? 0 : view.first + 8, rows.count - 1), column: 0 });
      }}
    >
      <GridHeader
        gridId={gridId}
        columns={columns}
        columnFirst={view.columnFirst}
        columnEnd={view.columnEnd}
        lead={lead}
        sort={props.sort}
        state={headerState(selection, visibleIds)}
        active={active !== null && active.row < 0 ? active.column : -1}
        onToggleAll={() => onSelect(isNothing(selection) ? selectIds(loaded()) : NOTHING)}
        onSort={props.onSort}
        onResize={props.onResize}
        onMove={props.onMove}
      />
      <div className={css.body} role="rowgroup" style={{ height: scrollHeight(geometry), width }}>
        <div className={css.block} role="presentation" style={{ transform: `translateY(${view.anchorTop}px)` }}>
          {drawn}
        </div>
      </div>
    </div>
  );
}
