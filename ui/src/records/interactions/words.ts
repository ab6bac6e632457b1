import { useLabel, useTranslation } from '@/i18n';
import { useObject } from '@/metadata';

/** What an event of this sort is called; one without a word keeps its own name. */
export function useDeedName(): (name: string) => string {
  const { t } = useTranslation('interaction');
  return (name) => t(`interaction:deed.${name}`, { defaultValue: name });
}

/** The platforms of contents as they are declared. */
export function usePlatforms(): { value: string; label: string }[] {
  const object = useObject('content');
  const label = useLabel();
  return (object?.fields.find((one) => one.key === 'platform')?.options ?? []).map((option) => ({
    value: option.key,
    label: label(option.label),
  }));
}
