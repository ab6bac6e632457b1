import { type Segment, useSaveSegment } from '@/api';
import { useTranslation } from '@/i18n';
import { confirm, toast } from '@/ui';

/** Makes a dynamic segment a list of its members of now, or a list follow its condition again; asks first. */
export function useConvert(): (segment: Segment) => Promise<void> {
  const { t } = useTranslation(['segments', 'common']);
  const save = useSaveSegment();
  return async (segment) => {
    const kind = segment.kind === 'dynamic' ? 'static' : 'dynamic';
    const sure = await confirm({
      title: t(`segments:convert.${kind}.title`, { name: segment.label }),
      text: t(`segments:convert.${kind}.text`),
      confirm: t(`segments:convert.${kind}.confirm`),
    });
    if (!sure) return;
    save.mutate(
      { key: segment.key, version: segment.version, segment: { kind } },
      {
        onSuccess: () => toast.ok(t('segments:saved', { name: segment.label })),
        onError: (error) => toast.error(t('common:failed.save'), { detail: error.message }),
      },
    );
  };
}
