import { useQuery } from '@tanstack/react-query';
import { type FieldValues, findDuplicatesQuery, type ObjectType } from '@/api';
import { useTranslation } from '@/i18n';
import { useDebounced } from '@/lib/hooks';
import css from './duplicates.module.css';
import { MatchList } from './match-list';

/** While somebody types: records that may be the same already. Says nothing until there is something to say. */
export function FormHint({ object, values }: { object: ObjectType; values: FieldValues }) {
  const { t } = useTranslation('duplicates');
  const settled = useDebounced(values, 500);
  const answer = useQuery({
    ...findDuplicatesQuery(object.key, settled),
    enabled: Object.keys(settled).length > 1,
    placeholderData: (old) => old,
  });
  const items = answer.data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <div className={css.hint} role="status">
      <strong>{t('duplicates:hint', { count: items.length })}</strong>
      <MatchList object={object} matches={items.slice(0, 3)} />
    </div>
  );
}
