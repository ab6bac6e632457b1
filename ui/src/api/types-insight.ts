import type { Label } from '@/i18n';
import type { Money } from '@/lib/format';
import type { Condition, Operator } from './conditions';
import type { ConsentState } from './consents';
import type { DuplicateMatches } from './duplicates';
import type { Option, RecordData, Ref, TimelineEntry, TraitValue } from './types';
import type { AgendaItem } from './work';

/* Customers */
export interface ProfileTrait {
  key: string;
  label: Label;
  group: Label;
  group_key: string;
  type: TraitType;
  value: TraitValue;
  explanation: Label;
  computed_at: string;
}
export interface ProfileClass {
  classification: string;
  label: Label;
  key: string;
  class_label: Label;
  color: string;
  since: string | null;
}
export interface CustomerProfile {
  record: RecordData;
  highlights: { key: string; label: Label; value: TraitValue; type?: TraitType }[];
  traits: ProfileTrait[];
  classes: ProfileClass[];
  segments: { key: string; label: Label | string }[];
  timeline: TimelineEntry[];
  timeline_next: string | null;
  related: { object: string; via: string; label: Label; count: number }[];
  rfm: { r: number; f: number; m: number } | null;
  /** Null for a customer who did nothing on sites and in apps. */
  behaviour: BehaviourFigures | null;
  open: AgendaItem[];
  duplicates: DuplicateMatches;
  /** Null for readers who may not read consents. */
  consent: { states: ConsentState[]; minor: boolean; left: string } | null;
}

export interface BehaviourShare {
  key: string;
  visits: number;
}
export interface BehaviourFigures {
  first_at: string;
  last_at: string;
  visits: number;
  views: number;
  orders: number;
  bounced: number;
  engaged_ms: number;
  devices: BehaviourShare[];
  channels: BehaviourShare[];
  /** Of the last thirty visits. */
  pages: { host: string; path: string; title: string; views: number; engaged_ms: number }[];
  products: BehaviourShare[];
  /** The last thirty days, oldest first. */
  days: { day: string; visits: number; views: number }[];
}

/* Home */
export interface HomeGroup {
  key: string;
  label: Label;
  color: string;
  count: number;
  where: Condition | null;
}
export interface HomeLink {
  object: string;
  where: Condition | null;
}
export interface Home {
  as_of: string;
  lag_seconds: number;
  currency: string;
  customers: { total: number; new: number; new_previous: number; with_purchase: number };
  revenue: { gross: Money; gross_previous: Money; refunds: Money; net: Money };
  orders: { count: number; previous: number };
  average_basket: { value: Money | null; previous: Money | null };
  repurchase_rate: { value: number | null; previous: number | null };
  lifecycle: HomeGroup[];
  value_tiers: HomeGroup[];
  rfm: { cells: { r: number; f: number; count: number; spend: Money; where: Condition }[] };
  trend: { from: string; to: string; revenue: Money; orders: number }[];
  top_products: { record: Ref; quantity: number; revenue: Money }[];
  channels: { key: string; label: Label | string; orders: number; revenue: Money }[];
  links: { new_customers: HomeLink; orders: HomeLink; refunds: HomeLink };
  anchor: string;
}
export interface Cohorts {
  cohorts: { month: string; size: number; active: number[] }[];
  unit: 'month';
}

/* Conditions and segments */
export interface ConditionCheck {
  ok: boolean;
  sentence: Label;
  errors: { location: string; message: string; code: string }[];
}
export interface Segment {
  key: string;
  label: string;
  description: string;
  kind: 'dynamic' | 'static';
  where: Condition;
  sentence: Label;
  size: number | null;
  size_at: string | null;
  created_at: string;
  updated_at: string;
  version: number;
  broken: string | null;
  folder: string;
  /** When the stored membership was last compared with everybody computed anew, and how many members were otherwise. */
  checked_at: string | null;
  differing: number;
}
export interface SegmentInput {
  key?: string;
  label: string;
  description?: string;
  folder?: string;
  kind: Segment['kind'];
  where: Condition;
}
export interface SegmentCount {
  count: number;
  total: number;
  seconds: number;
  sentence: Label;
  sample: { id: string; title: string; subtitle: string }[];
  reach: { phone: number; email: number };
  as_of: string;
  lag_seconds: number;
  plan?: unknown;
}
export interface SegmentSize {
  at: string;
  size: number;
  entered: number;
  left: number;
}
export interface SegmentOverlap {
  a: number;
  b: number;
  both: number;
}

/* Traits and classifications */
export type TraitType = 'integer' | 'decimal' | 'money' | 'date' | 'datetime' | 'choice' | 'text' | 'bool' | 'tags';
export interface Trait {
  key: string;
  label: Label;
  group: Label;
  group_key: string;
  type: TraitType;
  definition: Label;
  unit?: Label;
  options?: Option[];
  operators: Operator[];
  sortable: boolean;
}
export interface TraitList {
  items: Trait[];
  computed_at: string | null;
  anchor: string;
}
export interface ClassRule {
  key: string;
  label: Label;
  color: string;
  /** null is "everyone else". */
  where: Condition | null;
  /** Place in charts and funnels, from 1, where the order of matching is another. */
  rank?: number;
  /** Where it stands in a lifecycle; by its key where there is none. */
  phase?: string;
  /** Only while editing: takes everyone who is left. */
  rest?: boolean;
  sentence?: Label;
  count?: number;
}
export interface Classification {
  key: string;
  label: Label;
  trait: string;
  description: Label;
  classes: ClassRule[];
  version: number;
  updated_at: string;
}
export interface ClassificationPreview {
  classes: { key: string; count: number; before: number }[];
  moved: number;
  flows: { from: string; to: string; count: number }[];
  seconds: number;
}
export interface ClassificationRun {
  at: string;
  by: string;
  reason: string;
  counts: Record<string, number>;
  moved: number;
}
export interface RfmState {
  cuts: { r: number[]; f: number[]; m: number[] };
  anchor: string;
  mode: 'quintile' | 'saved';
  means: { r: number; f: number; m: number };
  customers: number;
}

/* Imports */
export type ImportStatus =
  | 'uploaded'
  | 'checking'
  | 'checked'
  | 'running'
  | 'done'
  | 'failed'
  | 'cancelled'
  | 'undoing'
  | 'undone';
export interface ImportFormat {
  kind?: 'csv' | 'xlsx' | 'ndjson' | 'parquet' | 'fixed';
  encoding?: string;
  delimiter?: string;
  header?: boolean;
  gzip?: boolean;
  date?: string;
  sheet?: string;
  /** The row, counted from 1, at which the table begins; those above it are not read. */
  header_row?: number;
  columns?: { name: string; from: number; to: number }[];
}
/** The mapping file: `order` and `line` for purchase files, `fields` for every other object. Values name columns. */
export interface ImportMapping {
  format?: ImportFormat;
  order?: Record<string, ImportSource>;
  line?: Record<string, ImportSource>;
  fields?: Record<string, ImportSource>;
  rules?: Record<string, ImportRule>;
  options?: ImportOptions;
}
/** How the texts of a column become values of its target; keys are those of targets. */
export interface ImportRule {
  /** Of a relation whose record is not found. */
  missing?: 'error' | 'empty' | 'create';
  only_empty?: boolean;
  date?: string;
  decimal?: 'point' | 'comma';
  /** Text of the file: key of an option, "" for no value, "+Label" for an option that the import makes. */
  options?: Record<string, string>;
}
/** A column by name or number, or several that are joined by a space. */
export type ImportSource = string | string[];
export interface ImportOptions {
  currency?: string;
  timezone?: string;
  date_order?: 'dmy' | 'mdy';
  decimal_comma?: boolean;
  on_error?: 'skip' | 'stop';
  match?: string | string[];
  mode?: 'create' | 'update';
  lenient?: boolean;
  duplicates?: 'create' | 'skip' | 'update' | 'mark' | 'review';
  disarmed?: boolean;
  source?: string;
  order_key?: string[];
  refund_when?: string;
  anonymous_customer?: 'keep' | 'skip';
  free_lines?: 'keep' | 'skip';
}
export type ImportLines = 'errors' | 'skipped' | 'marked' | 'no_rate';
/** A mapping saved by name, for everybody in the workspace who imports. */
export interface SavedMapping {
  id: string;
  object: string;
  name: string;
  mapping: ImportMapping;
  created_by: Ref | null;
  updated_at: string;
  used_at: string | null;
}
/** The texts of a column that becomes a choice. */
export interface ImportChoice {
  target: string;
  object: string;
  field: string;
  label: Label;
  column: string;
  options: { key: string; label: Label; color?: string }[];
  texts: { text: string; count: number; match: string | null; set: boolean }[];
  more: boolean;
  create: boolean;
}
export interface RejectedRows {
  columns: string[];
  rows: { row: number; cells: string[]; errors: ImportLine[] }[];
  more: boolean;
}
export interface ImportTally {
  created?: number;
  updated?: number;
  unchanged?: number;
  skipped?: number;
}
export interface ImportResult extends ImportTally {
  rows: number;
  errors: number;
  by_object: Record<string, ImportTally> | null;
  seconds: number;
  /** By currency, rows that were imported with an amount for which no rate is known. */
  no_rate?: Record<string, number>;
  /** Rows that were imported and may be duplicates, and how many of their pairs wait for somebody. */
  marked?: number;
  review?: number;
  /** Of an undo: taken back, put back, and left because somebody changed them since. */
  removed?: number;
  restored?: number;
  kept?: number;
}
/** A row of the file that was not imported, and why. */
export interface ImportLine {
  row: number;
  column: string;
  value: string;
  message: string;
  code: string;
}
export interface ImportRun {
  id: string;
  object: string;
  file_name: string;
  size: number;
  status: ImportStatus;
  created_at: string;
  created_by: Ref | null;
  format: ImportFormat;
  columns: { name: string; samples: string[]; reads: string[]; suggested: string | null }[];
  targets: {
    key: string;
    label: Label;
    group: Label;
    type: string;
    required: boolean;
    /** The relation whose record is found by this field. */
    via?: string;
    /** Existing records can be found by it. */
    match: boolean;
  }[];
  mapping: ImportMapping;
  preview: Record<string, string>[];
  warnings: { code: string; message: string }[];
  progress: {
    rows: number;
    bytes: number;
    total_bytes: number;
    rate: number;
    seconds_left: number | null;
    phase: string;
  } | null;
  result: ImportResult | null;
  /** Rows that are faulty, and rows that a rule of the mapping left out; the first of each. */
  errors_sample: ImportLine[];
  skipped_sample: ImportLine[];
  marked_sample: ImportLine[];
  reasons: { code: string; kind: ImportLines; message: string; rows: number }[];
  sheets: string[];
  /** The first rows as they stand, to choose where the table begins. */
  head: { row: number; cells: string[] }[];
  saved: string | null;
  retry_of: string | null;
  error: { type: string; title: string; detail?: string } | null;
}
