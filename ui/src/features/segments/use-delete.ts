import { isApiError, type Segment, useDeleteSegment } from '@/api';
import { useTranslation } from '@/i18n';
import { confirm, toast } from '@/ui';

/** Asks, deletes, and says in words why not when another segment builds on this one. */
export function useDeleteWithWords(onDeleted?: () => void): (segment: Segment) => Promise<void> {
  const { t } = useTranslation(['segments', 'common']);
  const remove = useDeleteSegment();
  return async (segment) => {
    const sure = await confirm({
      title: t('segments:delete.title', { name: segment.label }),
      text: t('segments:delete.text'),
      confirm: t('common:delete'),
      danger: true,
    });
    if (!sure) return;
    remove.mutate(
      { key: segment.key, version: segment.version },
      {
        onSuccess: () => {
          toast.ok(t('segments:deleted', { name: segment.label }));
          onDeleted?.();
        },
        onError: (error) =>
          toast.error(isApiError(error, 409) ? t('segments:delete.inUse') : t('segments:delete.failed'), {
            detail: error.message,
          }),
      },
    );
  };
}
