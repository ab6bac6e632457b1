import { useMutation, useQueryClient } from '@tanstack/react-query';
import { API, api } from './client';
import type { FieldError } from './errors';

/** One thing that a configuration file says otherwise; `path` is a JSON Pointer such as "/objects/customer/fields/level". */
export interface ConfigDifference {
  path: string;
  change: 'added' | 'changed' | 'only_here';
  label?: Record<string, string>;
  /** Only here, and can be archived. */
  archivable: boolean;
  members: { path: string; before: unknown; after: unknown }[];
}

export interface ConfigDifferences {
  items: ConfigDifference[];
  /** Not compared: it names single records, people or personal values. */
  left_out?: string[];
}

export interface ConfigImported {
  applied: number;
  problems: FieldError[];
}

export const CONFIG_URL = `${API}/config`;

export const useCompareConfig = () =>
  useMutation({ mutationFn: (file: unknown) => api.post<ConfigDifferences>('/config/compare', { file }) });

export function useImportConfig() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (given: { file: unknown; paths: string[]; dry_run: boolean }) =>
      api.post<ConfigImported>('/config/import', given),
    onSuccess: (_, given) => (given.dry_run ? undefined : client.invalidateQueries()),
  });
}
