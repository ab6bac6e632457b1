import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { dismissDuplicates, duplicatesOfQuery, errorText, type ObjectType, type RecordData } from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, toast } from '@/ui';
import { Notice } from '../page/layout';
import css from './duplicates.module.css';

/** Over a record: others may be the same. Compare them, or say once and for all that they are not. */
export function DuplicateBanner({ object, record }: { object: ObjectType; record: RecordData }) {
  const { t } = useTranslation(['duplicates', 'common']);
  const can = useCan();
  const client = useQueryClient();
  const navigate = useNavigate();
  const query = duplicatesOfQuery(object.key, record.id);
  const answer = useQuery(query);
  const others = (answer.data?.items ?? []).filter((match) => match.record !== null && !match.deleted);
  const ids = others.map((match) => match.record?.id ?? '').slice(0, 7);
  if (ids.length === 0) return null;
  const dismiss = async () => {
    try {
      await dismissDuplicates(object.key, record.id, ids);
      await client.invalidateQueries({ queryKey: query.queryKey });
      toast.ok(t('duplicates:dismissed'));
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    }
  };
  return (
    <Notice
      action={
        <span className={css.actions}>
          {can('record.merge') && object.actions.update && object.actions.delete && (
            <Button
              onClick={() =>
                navigate({
                  to: '/merge/$object',
                  params: { object: object.key },
                  search: { ids: [record.id, ...ids].join(',') },
                })
              }
            >
              {t('duplicates:compare')}
            </Button>
          )}
          {object.actions.update && (
            <Button kind="subtle" onClick={() => void dismiss()}>
              {t('duplicates:notSame')}
            </Button>
          )}
        </span>
      }
    >
      {t('duplicates:banner', { count: ids.length, name: others[0]?.record?.title ?? '' })}
    </Notice>
  );
}
