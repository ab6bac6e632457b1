import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import type { Label } from '@/i18n';
import { api } from './client';
import type { Condition } from './conditions';
import type { Field, FieldType, ObjectType, Option, Rollup } from './types';

export * from './conversions';
export * from './layouts';
export * from './types-shape';

/** A new object; its first field is its title. */
export interface ObjectInput {
  key?: string;
  label: Label;
  plural?: Label;
  icon?: string;
  /** The label of the title field. */
  title?: Label;
  /** The pattern of an automatic number that is the title. */
  title_number?: string;
  of_customer?: boolean;
}
export type ObjectChange = Partial<
  Pick<
    ObjectType,
    | 'label'
    | 'plural'
    | 'icon'
    | 'title_field'
    | 'subtitle_fields'
    | 'default_columns'
    | 'default_sort'
    | 'rules'
    | 'unique_rules'
  >
>;
/** An option that has no key yet gets one of its label. */
export type OptionInput = Omit<Option, 'key'> & { key?: string };
export interface FieldInput {
  key?: string;
  /** Follows from what is computed when left out. */
  type?: FieldType;
  label: Label;
  help?: Label;
  section?: string;
  required?: boolean;
  unique?: boolean;
  indexed?: boolean;
  personal?: boolean;
  searchable?: boolean;
  options?: OptionInput[];
  target?: string;
  via?: string;
  scale?: number;
  pattern?: string;
  default?: unknown;
  max_length?: number;
  max?: number;
  max_mb?: number;
  kinds?: string[];
  formula?: string;
  rollup?: Rollup;
  shown_when?: Condition | null;
  required_when?: Condition | null;
}
export type FieldChange = Partial<
  Omit<FieldInput, 'key' | 'type' | 'target' | 'via' | 'scale' | 'unique' | 'personal'>
> & {
  hidden?: boolean;
  no_default?: boolean;
  /** Of a computed field. */
  type?: FieldType;
  scale?: number;
  /** Among the fields that were made in this workspace, from 0. */
  position?: number;
};
export interface ArchivedObject {
  key: string;
  label: Label;
  icon: string;
}
export interface ArchivedField {
  object: string;
  key: string;
  label: Label;
  type: FieldType;
}

/** What can be restored; below the key of the objects, so that it is asked anew with them. */
export const archivedQuery = () =>
  queryOptions({
    queryKey: ['objects', 'archived'],
    queryFn: ({ signal }) =>
      api.get<{ objects: ArchivedObject[]; fields: ArchivedField[] }>('/objects/archived', { signal }),
  });

const fieldPath = (object: string, field: string) => `/objects/${object}/fields/${field}`;

/** A change of the metadata is done when the pages know it; what takes a page away is done before (`wait` false). */
function useShaping<I, O>(run: (input: I) => Promise<O>, wait = true) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: async () => {
      client.invalidateQueries({ queryKey: ['views'] });
      client.invalidateQueries({ queryKey: ['records'] });
      const known = client.invalidateQueries({ queryKey: ['objects'] });
      if (wait) await known;
    },
  });
}

export const useCreateObject = () => useShaping((input: ObjectInput) => api.post<ObjectType>('/objects', input));
export const useChangeObject = (object: string) =>
  useShaping((change: ObjectChange) => api.patch<ObjectType>(`/objects/${object}`, change));
export const useArchiveObject = () => useShaping((object: string) => api.delete(`/objects/${object}`), false);
export const useRestoreObject = () =>
  useShaping((object: string) => api.post<ObjectType>(`/objects/${object}/restore`));

export const useCreateField = (object: string) =>
  useShaping((input: FieldInput) => api.post<Field>(`/objects/${object}/fields`, input));
export const useChangeField = (object: string) =>
  useShaping(({ field, change }: { field: string; change: FieldChange }) =>
    api.patch<Field>(fieldPath(object, field), change),
  );
export const useArchiveField = (object: string) => useShaping((field: string) => api.delete(fieldPath(object, field)));
export const useRestoreField = (object: string) =>
  useShaping((field: string) => api.post<Field>(`${fieldPath(object, field)}/restore`));
