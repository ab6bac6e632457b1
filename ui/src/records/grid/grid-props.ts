import type { ReactNode } from 'react';
import type { FigureGroup, RecordData, RecordQuery, Sort } from '@/api';
import type { GridColumn } from './columns';
import type { Selection } from './selection';
import type { PastedCells } from './use-clipboard';
import type { RowSource, Slice } from './use-rows';

/** A list in groups: what the grid draws as heads between its rows. */
export interface Grouping {
  groups: readonly FigureGroup[];
  isOpen: (group: FigureGroup) => boolean;
  toggle: (group: FigureGroup) => void;
  /** What stands in a head: the group's name, and a figure for a column. */
  name: (group: FigureGroup) => ReactNode;
  figure: (group: FigureGroup, column: string) => string;
  /** Shows the records of one group alone. */
  only: (group: FigureGroup) => void;
}

/** The columns in sight: what a head or a foot draws its cells by. */
export interface Frame {
  columns: readonly GridColumn[];
  columnFirst: number;
  columnEnd: number;
  lead: number;
  /** Left edges of the columns that stay in sight. */
  lefts: readonly number[];
}

export interface Rich {
  useSource: RowSource;
  grouping: Grouping | null;
  slice: Slice | null;
  head: (at: { gridId: string; row: number; top: number; group: FigureGroup; active: boolean } & Frame) => ReactNode;
  foot: ((frame: Frame) => ReactNode) | null;
  footHeight: number;
}

export interface GridProps {
  label: string;
  object: string;
  query: RecordQuery;
  columns: readonly GridColumn[];
  sort: readonly Sort[];
  /** How many columns stay in sight at the left; 1 when nobody says. */
  frozen?: number | undefined;
  /** What a plain list has not: groups with heads between the rows, figures under the columns, numbered pages. */
  rich?: Rich;
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
  /** Several cells at once; a single one comes as an edit. */
  onPaste?: (cells: PastedCells) => void;
  /** The row one moves to, so that an open side panel can follow. */
  onActive?: (record: RecordData) => void;
}
