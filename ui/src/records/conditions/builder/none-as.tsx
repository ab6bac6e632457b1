import type { Condition, EventCondition, RecordCondition } from '@/api';
import { useTranslation } from '@/i18n';
import { Checkbox } from '@/ui';

const LOW = ['<', '<=', '=', 'between'];

/**
 * Whether those of whom there is nothing count as 0. Offered where that can matter: a figure over nothing has no value, and "fewer than 3" does
 * not find people who have none.
 */
export function NoneAs<C extends RecordCondition | EventCondition>({
  condition,
  onChange,
}: {
  condition: C;
  onChange: (condition: Condition) => void;
}) {
  const { t } = useTranslation('conditions');
  if (condition.none_as === undefined && !LOW.includes(condition.op ?? '')) return null;
  const { none_as: counted, ...rest } = condition;
  return (
    <Checkbox
      label={t('conditions:noneAs')}
      checked={counted !== undefined}
      onChange={(on) => onChange((on ? { ...rest, none_as: 0 } : rest) as Condition)}
    />
  );
}
