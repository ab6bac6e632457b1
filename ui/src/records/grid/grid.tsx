import { Fragment, type MouseEvent, useEffect, useId, useMemo, useRef, useState } from 'react';
import type { RecordData } from '@/api';
import { useFieldContext } from '@/fields';
import { cx } from '@/lib/cx';
import { useEvent } from '@/lib/hooks';
import { cellValue } from '../cell-value';
import type { Move } from '../edit/inline-editor';
import { InlineEditor, readyToEdit } from '../edit/lazy-inline-editor';
import { takeBack } from '../edit/steps';
import { columnEdges, frozenCount, frozenLefts, frozenWidth, type GridColumn } from './columns';
import css from './grid.module.css';
import { GridHeader } from './grid-header';
import type { Frame, GridProps } from './grid-props';
import { cellId, GridRow } from './grid-row';
import { rangeBetween } from './range';
import { extend, headerState, isNothing, isSelected, NOTHING, selectAll, selectIds, toggle } from './selection';
import { useClipboard } from './use-clipboard';
import { type Active, handleGridKey } from './use-grid-keys';
import { type RowSource, useRows } from './use-rows';
import { numberAt, useSweep } from './use-sweep';
import { CHECK, START_VIEW, useViewport } from './use-viewport';
import { scrollHeight } from './windowing';

const PLAIN = {};

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
  const [anchor, setAnchor] = useState<Active | null>(null);
  const { rich } = props;
  const grouping = rich?.grouping ?? null;
  const useSource: RowSource = rich?.useSource ?? useRows;
  const rows = useSource(object, query, view, rich ?? PLAIN);
  const groupAt = (row: number) => rows.groupAt?.(row);
  const frozen = frozenCount(props.frozen, columns.length);
  const { fields: _, traits: __, ...question } = query;
  const resetKey = JSON.stringify([object, question, rich?.slice?.from]);
  const { geometry, handleScroll, showRow, showColumn } = useViewport({
    grid,
    count: rows.count,
    columns,
    frozen,
    foot: rich?.footHeight ?? 0,
    resetKey,
    view,
    setView,
  });

  const shown = useRef(resetKey);
  useEffect(() => {
    if (shown.current === resetKey) return;
    shown.current = resetKey;
    setActive(null);
    setAnchor(null);
    setEditing(null);
  }, [resetKey]);

  const edges = useMemo(() => columnEdges(columns, frozen), [columns, frozen]);
  const lefts = useMemo(() => frozenLefts(columns, frozen), [columns, frozen]);
  const lead = edges[view.columnFirst - frozen] ?? 0;
  const width = CHECK + frozenWidth(columns, frozen) + (edges.at(-1) ?? 0);
  const range = rangeBetween(anchor, active);
  const idAt = (row: number) => rows.rowAt(row)?.id;

  const stopEditing = () => {
    setEditing(null);
    grid.current?.focus({ preventScroll: true });
  };
  const move = (to: Active, from: Active | null = null) => {
    setActive(to);
    setAnchor(from);
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
    const group = groupAt(at.row);
    if (group !== undefined) grouping?.toggle(group);
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
        // With rows chosen Shift chooses more of them; else it stretches a range of cells.
        const ofRows = stretch && !isNothing(selection);
        move(to, stretch && !ofRows ? (anchor ?? active) : null);
        const id = idAt(to.row);
        if (!ofRows || id === undefined || active === null || to.row === active.row) return;
        const from = selection.anchor === null ? toggle(NOTHING, idAt(active.row) ?? id, active.row) : selection;
        onSelect(extend(from, to.row, idAt));
      },
      enter,
      toggle: toggleRow,
      selectAll: () => onSelect(selectAll()),
      clear: (at) => {
        if (range !== null) {
          clipboard.clear();
          return;
        }
        const record = rows.rowAt(at.row);
        const column = columns[at.column];
        if (record !== undefined && column?.editable && !column.field.required && at.column > 0 && !query.deleted)
          props.onEdit(record, column, null);
      },
      undo: () => takeBack(object),
      escape: () => {
        if (range !== null) setAnchor(null);
        else if (!isNothing(selection)) onSelect(NOTHING);
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

  const sweep = useSweep(`[data-open], [data-check], .${css.editing}`, (from, to) => move(to, from));
  const onClick = useEvent((event: MouseEvent) => {
    const target = event.target as Element;
    const row = numberAt(target, 'row');
    if (sweep.ended() || row === null || target.closest(`.${css.editing}`) !== null) return;
    const group = groupAt(row);
    if (group !== undefined) {
      if (target.closest('[data-only]') !== null) grouping?.only(group);
      else grouping?.toggle(group);
      move({ row, column: 0 });
      return;
    }
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
      if (isNothing(selection)) move({ row, column }, anchor ?? active ?? { row, column });
      else toggleRow(row, true);
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
  const clipboard = useClipboard({
    busy: editing !== null,
    readOnly: query.deleted === true,
    active,
    range,
    columns,
    context,
    rows,
    onEdit: props.onEdit,
    onPaste: props.onPaste,
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

  const frame: Frame = { columns, columnFirst: view.columnFirst, columnEnd: view.columnEnd, lead, lefts };
  const drawn = [];
  const end = Math.min(view.end, rows.count);
  for (let row = view.first; row < end; row++) {
    const group = groupAt(row);
    const top = (row - view.anchor) * geometry.rowHeight;
    if (group !== undefined) {
      drawn.push(
        <Fragment key={`g${row}`}>
          {rich?.head({ gridId, row, top, group, active: active?.row === row, ...frame })}
        </Fragment>,
      );
      continue;
    }
    const record = rows.rowAt(row);
    const chosen = range !== null && row >= range.top && row <= range.bottom;
    drawn.push(
      <GridRow
        key={row}
        gridId={gridId}
        row={row}
        offset={rich?.slice?.from ?? 0}
        top={top}
        record={record}
        columns={columns}
        columnFirst={view.columnFirst}
        columnEnd={view.columnEnd}
        lead={lead}
        lefts={lefts}
        context={context}
        href={record === undefined ? '' : props.hrefOf(record)}
        avatar={props.avatar}
        selected={record !== undefined && isSelected(selection, record.id)}
        peeked={record !== undefined && record.id === props.peeked}
        active={active?.row === row ? active.column : -1}
        rangeFrom={chosen ? range.left : -1}
        rangeTo={chosen ? range.right : -1}
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
      aria-busy={rows.stale || rows.pending}
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
      onPointerDown={sweep.onPointerDown}
      onPointerMove={sweep.onPointerMove}
      onDoubleClick={onDoubleClick}
      onCopy={clipboard.onCopy}
      onPaste={clipboard.onPaste}
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
        lefts={lefts}
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
      {rich?.foot?.(frame)}
    </div>
  );
}
