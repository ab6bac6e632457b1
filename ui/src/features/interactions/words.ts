import { useLabel } from '@/i18n';
import { useObject } from '@/metadata';

/** The platforms and kinds of contents as they are declared. */
export function useOptions(): (field: 'platform' | 'kind') => { value: string; label: string }[] {
  const object = useObject('content');
  const label = useLabel();
  return (field) =>
    (object?.fields.find((one) => one.key === field)?.options ?? []).map((option) => ({
      value: option.key,
      label: label(option.label),
    }));
}

/** What a platform or a kind is called. */
export function useOptionName(): (field: 'platform' | 'kind', key: string) => string {
  const options = useOptions();
  return (field, key) => options(field).find((option) => option.value === key)?.label ?? key;
}
