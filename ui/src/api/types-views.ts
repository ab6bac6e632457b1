import type { Label } from '@/i18n';
import type { Money } from '@/lib/format';
import type { Condition } from './conditions';
import type { Sort } from './types';

/** One key that figures are grouped by. */
export interface GroupBy {
  field?: string;
  trait?: string;
  /** day, week, month, quarter, year of dates; province, city, district of regions. */
  by?: string;
}
export const MEASURES = ['count', 'filled', 'empty', 'sum', 'avg', 'min', 'max'] as const;
export type MeasureFunc = (typeof MEASURES)[number];
export interface Measure {
  /** has counts the records that hold an option in a field of several. */
  func: MeasureFunc | 'has';
  field?: string;
  trait?: string;
  value?: string;
}
export interface FigureQuery {
  where?: Condition;
  search?: string;
  group_by?: GroupBy[];
  measures?: Measure[];
  limit?: number;
}
/** A sum or a value: a number, money, a date, or nothing where no record has a value. */
export type Figure = number | string | Money | null;
export interface FigureGroup {
  /** As records hold them; null for the records without a value. */
  values: unknown[];
  /** What finds the records of the group. */
  where: Condition;
  count: number;
  measures: Figure[];
}
export interface Figures {
  groups: FigureGroup[];
  more: boolean;
  total: { count: number; measures: Figure[] };
  plane: 'records' | 'analytics';
  as_of: string;
  seconds: number;
}

export const VIEW_KINDS = ['list', 'board', 'calendar', 'cards'] as const;
export type ViewKind = (typeof VIEW_KINDS)[number];
export type CalendarSpan = 'month' | 'week' | 'agenda';
export interface ViewOptions {
  widths?: Record<string, number>;
  frozen?: number;
  group?: GroupBy;
  totals?: Record<string, MeasureFunc>;
  board?: GroupBy;
  measure?: Measure;
  limits?: Record<string, number>;
  collapsed?: string[];
  date?: string;
  span?: CalendarSpan;
}
/** From the nearest to the farthest. */
export const VIEW_AUDIENCES = ['team', 'department', 'role', 'everyone'] as const;
export type ViewAudience = (typeof VIEW_AUDIENCES)[number];
export interface ViewShare {
  kind: 'user' | ViewAudience;
  to: string;
  name: string;
  access: 'read' | 'write';
}
export interface View {
  id: string;
  object: string;
  name: string;
  /** Built-in views have their name in every language. */
  label?: Label;
  shared: boolean;
  mine: boolean;
  builtin: boolean;
  columns: string[];
  where: Condition | null;
  sort: Sort[];
  kind: ViewKind;
  options: ViewOptions;
  /** Stands among the tabs. */
  pinned: boolean;
  /** By whose choice the object opens with this view; of several the nearest counts. */
  default: '' | 'me' | ViewAudience;
  /** Whose default it is beside single people, for those who may share with everyone. */
  defaults: ViewShare[];
  owner: { id: string; title: string } | null;
  /** Whom it is shared with. */
  shares: ViewShare[];
  /** May change what it shows; may share and delete it. */
  edit: boolean;
  manage: boolean;
  /** Parts are left out because their fields are hidden from the reader. */
  partial: boolean;
  position: number;
  version: number;
}
