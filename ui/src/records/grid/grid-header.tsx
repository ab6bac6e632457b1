import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { type PointerEvent, useRef, useState } from 'react';
import type { Sort } from '@/api';
import { useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { sortKey } from '../list-state';
import { clampWidth, type GridColumn } from './columns';
import css from './grid.module.css';
import { CHECK } from './use-viewport';

interface HeaderProps {
  gridId: string;
  columns: readonly GridColumn[];
  columnFirst: number;
  columnEnd: number;
  lead: number;
  lefts: readonly number[];
  sort: readonly Sort[];
  state: 'none' | 'some' | 'all';
  active: number;
  onToggleAll: () => void;
  onSort: (column: GridColumn, add: boolean) => void;
  onResize: (key: string, width: number | null) => void;
  onMove: (key: string, to: number) => void;
}

const ARIA_SORT = { asc: 'ascending', desc: 'descending' } as const;
const BOX_STATE = { all: true, some: 'mixed', none: false } as const;
const START = 6;

function directionOf(key: Sort | undefined): 'asc' | 'desc' | null {
  if (key === undefined) return null;
  return key.desc ? 'desc' : 'asc';
}

/** Where a drop would put a column, from the pointer and the headers on screen. */
function dropIndex(head: HTMLElement, x: number): { to: number; left: number } | null {
  const base = head.getBoundingClientRect().left;
  let found: { to: number; left: number } | null = null;
  for (const element of head.querySelectorAll<HTMLElement>('[data-head]')) {
    const at = Number(element.dataset.head);
    if (at === 0) continue;
    const box = element.getBoundingClientRect();
    if (x < box.left + box.width / 2) return { to: at, left: box.left - base };
    found = { to: at + 1, left: box.right - base };
  }
  return found;
}

export function GridHeader(props: HeaderProps) {
  const { gridId, columns, columnFirst, columnEnd, sort, state, active } = props;
  const { t } = useTranslation('records');
  const head = useRef<HTMLDivElement>(null);
  const drag = useRef<{ key: string; x: number; moved: boolean } | null>(null);
  const [drop, setDrop] = useState<{ to: number; left: number } | null>(null);

  const startDrag = (event: PointerEvent, column: GridColumn, at: number) => {
    if (event.button !== 0 || at === 0 || event.pointerType === 'touch') return;
    drag.current = { key: column.key, x: event.clientX, moved: false };
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const follow = (event: PointerEvent) => {
    const now = drag.current;
    if (now === null || head.current === null) return;
    if (Math.abs(event.clientX - now.x) > START) now.moved = true;
    if (now.moved) setDrop(dropIndex(head.current, event.clientX));
  };
  const finish = () => {
    const now = drag.current;
    if (now?.moved && drop !== null) {
      const from = columns.findIndex((column) => column.key === now.key);
      props.onMove(now.key, drop.to > from ? drop.to - 1 : drop.to);
    }
    setDrop(null);
  };
  const click = (column: GridColumn, add: boolean) => {
    const dragged = drag.current?.moved === true;
    drag.current = null;
    if (!dragged && column.sortable) props.onSort(column, add);
  };

  const cell = (at: number) => {
    const column = columns[at];
    if (column === undefined) return null;
    const place = sort.findIndex((key) => sortKey(key) === column.key);
    const direction = directionOf(sort[place]);
    const left = props.lefts[at];
    return (
      <div
        key={column.key}
        id={`${gridId}-h${at}`}
        role="columnheader"
        aria-colindex={at + 2}
        aria-sort={direction === null ? 'none' : ARIA_SORT[direction]}
        data-head={at}
        className={cx(
          css.headCell,
          left !== undefined && css.frozen,
          column.align === 'right' && css.right,
          active === at && css.active,
        )}
        style={left === undefined ? { width: column.width } : { width: column.width, left: CHECK + left }}
      >
        <button
          type="button"
          tabIndex={-1}
          className={css.headLabel}
          data-sortable={column.sortable || undefined}
          title={column.label}
          onPointerDown={(event) => startDrag(event, column, at)}
          onPointerMove={follow}
          onPointerUp={finish}
          onPointerCancel={finish}
          onClick={(event) => click(column, event.shiftKey)}
        >
          <span className="truncate">{column.label}</span>
          {direction === 'asc' && <IconArrowUp size={13} aria-hidden />}
          {direction === 'desc' && <IconArrowDown size={13} aria-hidden />}
          {direction !== null && sort.length > 1 && <span className={css.sortPlace}>{place + 1}</span>}
        </button>
        <Resizer column={column} onResize={props.onResize} />
      </div>
    );
  };
  const middle = [];
  for (let at = Math.max(props.lefts.length, columnFirst); at < Math.min(columnEnd, columns.length); at++)
    middle.push(cell(at));
  return (
    <div className={css.head} role="rowgroup" ref={head}>
      <div className={css.headRow} role="row" aria-rowindex={1}>
        <div role="columnheader" aria-colindex={1} className={css.check} style={{ width: CHECK }}>
          <button
            type="button"
            role="checkbox"
            aria-checked={BOX_STATE[state]}
            aria-label={t('records:select.loaded')}
            className={css.headBox}
            onClick={props.onToggleAll}
          >
            <span
              className={css.box}
              data-checked={state === 'all' || undefined}
              data-mixed={state === 'some' || undefined}
            />
          </button>
        </div>
        {props.lefts.map((_, at) => cell(at))}
        {props.lead > 0 && <div role="presentation" style={{ width: props.lead, flex: 'none' }} />}
        {middle}
      </div>
      {drop !== null && <div className={css.drop} style={{ left: drop.left }} />}
    </div>
  );
}

/** The edge of a header: drag for a width, double click for the usual one. Keys: Shift+arrows on the header. */
function Resizer({ column, onResize }: { column: GridColumn; onResize: HeaderProps['onResize'] }) {
  const start = useRef<{ x: number; width: number } | null>(null);
  return (
    <span
      className={css.resizer}
      aria-hidden
      onPointerDown={(event) => {
        event.stopPropagation();
        start.current = { x: event.clientX, width: column.width };
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        if (start.current !== null)
          onResize(column.key, clampWidth(start.current.width + event.clientX - start.current.x));
      }}
      onPointerUp={() => {
        start.current = null;
      }}
      onDoubleClick={() => onResize(column.key, null)}
    />
  );
}
