import { useQuery } from '@tanstack/react-query';
import { type Condition, conditionCheckQuery } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { Skeleton } from '@/ui';

const KEPT = 300_000;

/**
 * A condition in words. The words are the server's, wherever they are shown and whether it is saved or not: two
 * wordings of one condition would read as two conditions. Null while they are on their way.
 */
export function useSentence(object: string, condition: Condition): string | null {
  const { t } = useTranslation('common');
  const label = useLabel();
  const check = useQuery({ ...conditionCheckQuery(object, condition), staleTime: KEPT, retry: false });
  if (check.isPending) return null;
  return label(check.data?.sentence) || check.data?.errors[0]?.message || t('common:advancedCondition');
}

export function Sentence({ object, condition }: { object: string; condition: Condition }) {
  return useSentence(object, condition) ?? <Skeleton width={120} />;
}
