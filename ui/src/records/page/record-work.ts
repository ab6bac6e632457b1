import { useQueryClient } from '@tanstack/react-query';
import {
  deleteRecord,
  errorText,
  isApiError,
  isApprovalNeeded,
  type ObjectType,
  type RecordData,
  recordKeys,
  restoreRecord,
} from '@/api';
import { useTranslation } from '@/i18n';
import { toast } from '@/ui';

export interface RecordWork {
  remove: (record: RecordData) => Promise<void>;
  restore: (record: Pick<RecordData, 'id' | 'title'>) => Promise<void>;
  copyLink: () => Promise<void>;
}

/** Deleting goes to the recycle bin, so it is not asked about but can be undone. */
export function useRecordWork(object: ObjectType, onRemoved?: () => void): RecordWork {
  const { t } = useTranslation(['records', 'common']);
  const client = useQueryClient();
  const refresh = () =>
    Promise.all([
      client.invalidateQueries({ queryKey: recordKeys.object(object.key) }),
      client.invalidateQueries({ queryKey: ['customers'] }),
    ]);
  const restore = async (record: Pick<RecordData, 'id' | 'title'>) => {
    try {
      await restoreRecord(object.key, record.id);
      await refresh();
      toast.ok(t('records:page.restored', { name: record.title }));
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    }
  };
  return {
    restore,
    async remove(record) {
      try {
        await deleteRecord(object.key, record.id, record.version);
      } catch (error) {
        if (isApprovalNeeded(error)) return;
        toast.error(t('common:failed.save'), { detail: errorText(error) });
        if (isApiError(error, 412)) await refresh();
        return;
      }
      onRemoved?.();
      await refresh();
      toast.ok(t('records:page.deleted', { name: record.title }), {
        action: { label: t('common:undo'), run: () => void restore(record) },
        duration: 8000,
      });
    },
    async copyLink() {
      await navigator.clipboard.writeText(location.href);
      toast.ok(t('common:copied'));
    },
  };
}
