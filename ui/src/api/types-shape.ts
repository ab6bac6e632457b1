import type { Label } from '@/i18n';

/** No two live records have the same values in all of the fields. */
export interface UniqueRule {
  key: string;
  label: Label;
  fields: string[];
  state?: 'on' | 'off' | 'checking' | 'clash';
}
export interface LayoutSection {
  key: string;
  title: Label;
  columns?: number;
  collapsed?: boolean;
  fields: string[];
}
/** Where fields and tabs stand on the page of a record, for everyone or for a role. */
export interface Layout {
  role?: string;
  sections: LayoutSection[];
  hidden?: string[];
  tabs?: string[];
  hidden_tabs?: string[];
  highlights?: string[];
}
