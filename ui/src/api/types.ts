import type { Label } from '@/i18n';
import type { Money } from '@/lib/format';
import type { Condition, Operator } from './conditions';
import type { Layout, UniqueRule } from './types-shape';

export type { Label, Money };

/* Session and set-up */
/** One of the four built in, or the key of a role made in the workspace. */
export type Role = string;
export const BUILTIN_ROLES = ['administrator', 'manager', 'member', 'readonly'] as const;
export const CAPABILITIES = [
  'record.create',
  'record.merge',
  'import.run',
  'segment.write',
  'classification.write',
  'user.manage',
  'apikey.manage',
  'export.run',
  'record.assign',
  'personal.reveal',
  'audit.read',
  'system.manage',
  'view.share',
  'schema.manage',
  'webhook.manage',
  'segment.read',
  'role.manage',
  'report.read',
  'record.share',
  'record.assign',
  'export.run',
  'duplicate.manage',
  'mail.manage',
  'mail.send',
  'privacy.manage',
  'privacy.copy',
  'automation.manage',
  'web.read',
  'source.manage',
  'event.read',
  'event.manage',
  'consent.read',
  'consent.write',
  'consent.manage',
  'campaign.read',
  'campaign.write',
  'campaign.send',
  'offer.read',
  'offer.write',
  'offer.use',
] as const;
export type Capability = (typeof CAPABILITIES)[number];
export interface User {
  id: string;
  name: string;
  email: string;
  locale: string;
  role: Role;
  disabled: boolean;
  last_seen_at: string | null;
  /** Told to those who manage people, and of oneself. */
  second_factor?: boolean;
  temporary_password?: boolean;
  /** Cannot sign in yet: there is no password, and no other way. */
  invited?: boolean;
  /** Signs in without a password. */
  no_password?: boolean;
}
export interface Workspace {
  key: string;
  name: string;
  timezone: string;
  currency: string;
  locale: string;
}
/** What a sign-in still owes after the password: a code, a password of one's own, an enrolment. */
export type SignInStage = 'code' | 'password' | 'enrol';
export interface Session {
  user: User;
  workspace: Workspace;
  csrf: string;
  role: Role;
  /** Of a role made in the workspace. */
  role_name?: string;
  can: Partial<Record<Capability, boolean>>;
}
export interface SetupState {
  needed: boolean;
  demo_available: boolean;
}
export interface SetupInput {
  email: string;
  password: string;
  name?: string;
  workspace: string;
  locale: string;
  timezone: string;
  currency: string;
  demo?: boolean;
}
export type KeyScope = 'read' | 'write' | 'import' | 'admin' | 'act' | 'checkout';
export interface ApiKey {
  id: string;
  name: string;
  scopes: KeyScope[];
  prefix: string;
  created_at: string;
  last_used_at: string | null;
  revoked_at: string | null;
}
export interface Actor {
  kind: 'user' | 'apikey' | 'system' | 'cli' | 'rule';
  id: string;
  name: string;
}
export interface AuditEntry {
  id: string;
  at: string;
  actor: Actor;
  action: string;
  object: string | null;
  record_id: string | null;
  detail: Record<string, unknown>;
}
export interface SystemState {
  version: string;
  plane: 'embedded' | 'postgres';
  mirror: { position: number; head: number; lag_changes: number; lag_seconds: number; rebuilding: boolean };
  search: { lag_changes: number };
  traits: { computed_at: string | null; stale: boolean };
  data_bytes: number;
  jobs: SystemJob[];
}
export interface SystemJob {
  kind: string;
  state: 'retrying' | 'failed';
  attempts: number;
  message: string;
  at: string;
}

export interface Items<T> {
  items: T[];
}
export interface Page<T> extends Items<T> {
  next_cursor: string | null;
}
/* Metadata */
export const FIELD_TYPES = [
  'text',
  'long_text',
  'number',
  'money',
  'bool',
  'date',
  'datetime',
  'choice',
  'multi_choice',
  'tags',
  'phone',
  'email',
  'url',
  'region',
  'address',
  'relation',
  'relation_many',
  'user',
  'auto_number',
  'birthday',
  'json',
  'record',
  'percent',
  'duration',
  'rating',
  'file',
  'image',
] as const;
export type FieldType = (typeof FIELD_TYPES)[number];

export interface Option {
  key: string;
  label: Label;
  color?: string;
  /** Still readable in records, offered no more. */
  archived?: boolean;
}
/** A record for which the formula is true cannot be saved. */
export interface Rule {
  key: string;
  when: string;
  message: Label;
  /** Where the message stands; the record as a whole when missing. */
  field?: string;
  off?: boolean;
}
/** How a field sums up records of another object that point at its record. */
export interface Rollup {
  object: string;
  via: string;
  func: string;
  field?: string;
  by?: string;
  where?: unknown;
}
export interface Field {
  key: string;
  type: FieldType;
  label: Label;
  help?: Label;
  section: string;
  required: boolean;
  unique: boolean;
  /** Personal: comes masked, revealing it is audited. */
  personal: boolean;
  read_only: boolean;
  operation_only: boolean;
  filterable: boolean;
  sortable: boolean;
  searchable: boolean;
  indexed?: boolean;
  /** Made in this workspace, not built in. */
  custom?: boolean;
  /** Of an automatic number. */
  pattern?: string;
  options?: Option[];
  target?: string;
  via?: string;
  scale?: number;
  /** Of traits: days, times. "share" is a part of one and shown as a percentage. */
  unit?: Label;
  /** What a new record starts with. */
  default?: unknown;
  max_length?: number;
  /** The most stars of a rating, the most files of a field that holds files. */
  max?: number;
  /** Of a field that holds files: kinds, largest file in MB, where they are sent, and how many bytes are taken there. */
  kinds?: string[];
  max_mb?: number;
  upload?: string;
  max_bytes?: number;
  /** Of a computed field. */
  formula?: string;
  rollup?: Rollup;
  /** Its formula does not hold any more. */
  broken?: boolean;
  /** Types that its values can become. */
  conversions?: FieldType[];
  /** Where the condition does not hold the field is not shown, and keeps its value. */
  shown_when?: Condition;
  /** Where the condition holds the field needs a value. */
  required_when?: Condition;
  operators: Operator[];
  width?: number;
  access: 'read' | 'write' | 'hidden';
  /** The person's role sees only that there is a value. */
  masked?: boolean;
}
export interface Sort {
  field?: string;
  trait?: string;
  desc?: boolean;
}
export interface ObjectType {
  key: string;
  label: Label;
  plural: Label;
  icon: string;
  prefix: string;
  title_field: string;
  subtitle_fields?: string[];
  standard: boolean;
  hidden: boolean;
  actions: {
    create: boolean;
    update: boolean;
    delete: boolean;
    import: boolean;
    export?: boolean;
    assign?: boolean;
    share?: boolean;
  };
  /** The field that says whose a record is. */
  owner_field?: string;
  rules?: Rule[];
  unique_rules?: UniqueRule[];
  /** How page and form are laid out for this person; none leaves it to the program. */
  layout?: Layout;
  fields: Field[];
  default_columns: string[];
  default_sort: Sort[];
  related: { object: string; via: string; label: Label }[];
}
export type RegionTier = 'first' | 'new_first' | 'second' | 'third' | 'fourth' | 'fifth' | 'rural';
export interface Region {
  code: string;
  name: string;
  name_en?: string;
  tier?: RegionTier;
  children?: Region[];
}

/* Values of fields, as they are read */
export interface Ref {
  id: string;
  title: string;
  object: string;
}
export interface RegionValue {
  code: string;
  name: string;
  tier?: RegionTier;
}
export interface AddressValue {
  region?: RegionValue | null;
  street?: string;
  postcode?: string;
}
export interface BirthdayValue {
  calendar: 'solar' | 'lunar';
  year: number | null;
  month: number;
  day: number;
  leap: boolean;
}
export type FieldValues = Record<string, unknown>;
export interface ChoiceValue {
  key: string;
  label: Label;
}
export type TraitValue = number | string | boolean | Money | ChoiceValue | null;

/* Records */
export interface RecordData {
  id: string;
  object: string;
  title: string;
  version: number;
  created_at: string;
  updated_at: string;
  created_by: Ref | null;
  deleted_at: string | null;
  fields: FieldValues;
  traits?: Record<string, TraitValue>;
  masked?: string[];
  /** What the person may do with it; told of a record that is read by itself. */
  may?: Partial<Record<'update' | 'delete' | 'reveal' | 'assign' | 'share' | 'export', boolean>>;
}
export interface RecordQuery {
  where?: Condition | null;
  search?: string;
  sort?: Sort[];
  fields?: string[];
  traits?: string[];
  limit?: number;
  cursor?: string;
  offset?: number;
  total?: 'capped' | 'exact' | null;
  deleted?: boolean;
}
export interface RecordPage extends Page<RecordData> {
  total?: number | null;
  total_is_estimate?: boolean;
  plane?: 'records' | 'analytics';
  as_of?: string;
  lag_seconds?: number;
}
export interface RecordCount {
  count: number;
  is_estimate: boolean;
  seconds: number;
}
export interface BatchOperation {
  op: 'create' | 'update' | 'delete';
  id?: string;
  version?: number;
  fields?: FieldValues;
}
export interface BatchResult {
  status: number;
  record?: RecordData;
  error?: { title: string; detail?: string; type: string; errors?: { location: string; message: string }[] };
}
export interface Change {
  field: string;
  label: Label;
  before: unknown;
  after: unknown;
}
export interface HistoryEntry {
  version: number;
  at: string;
  actor: Actor;
  op: string;
  changes: Change[];
}
export type * from './types-insight';
export type * from './types-timeline';
export * from './types-views';
