import { useLabel } from '@/i18n';
import { findField, useObject } from '@/metadata';

/** Options of fields of feedback as metadata has them. */
export function useFeedbackNames() {
  const object = useObject('feedback');
  const label = useLabel();
  const of = (field: string) => (findField(object, field)?.options ?? []).filter((option) => !option.archived);
  return {
    keys: (field: string): string[] => of(field).map((option) => option.key),
    options: (field: string) =>
      of(field).map((option) => ({ value: option.key, label: label(option.label, option.key) })),
    name: (field: string, key: string): string => label(of(field).find((option) => option.key === key)?.label, key),
    color: (field: string, key: string): string => of(field).find((option) => option.key === key)?.color ?? 'gray',
  };
}
