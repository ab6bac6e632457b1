import { useQueryClient } from '@tanstack/react-query';
import {
  errorText,
  isApiError,
  patchRecordCache,
  patchWorkCache,
  type RecordData,
  recordKeys,
  refreshWork,
  updateRecord,
  workLater,
} from '@/api';
import { useTranslation } from '@/i18n';
import { toast } from '@/ui';

export const isDone = (record: RecordData): boolean => record.fields.status === 'done';
export const isClosed = (record: RecordData): boolean => isDone(record) || record.fields.status === 'cancelled';

const opened = (object: string): string => (object === 'task' ? 'open' : 'planned');

/** Finishes an activity, or opens it again, with one press; the news of it takes it back. */
export function useComplete(): (record: RecordData) => Promise<void> {
  const { t } = useTranslation(['work', 'common']);
  const client = useQueryClient();
  const set = async (record: RecordData, status: string): Promise<RecordData | null> => {
    const later = async (): Promise<RecordData> => {
      await workLater.change(record, { status }, { status });
      const shown = { ...record, fields: { ...record.fields, status } };
      patchRecordCache(client, shown);
      return shown;
    };
    try {
      if (workLater.offline(record.object)) return await later();
      const saved = await updateRecord(record.object, record.id, { status }, record.version);
      patchRecordCache(client, saved);
      patchWorkCache(client, saved);
      return saved;
    } catch (error) {
      if (workLater.afterwards(record.object, error)) return await later();
      const stale = isApiError(error, 412);
      toast.error(t('common:failed.save'), { detail: stale ? t('work:changedMeanwhile') : errorText(error) });
      return null;
    } finally {
      void refreshWork(client);
      void client.invalidateQueries({ queryKey: recordKeys.object(record.object) });
    }
  };
  return async (record) => {
    const before = String(record.fields.status ?? opened(record.object));
    const next = isDone(record) ? opened(record.object) : 'done';
    const saved = await set(record, next);
    if (saved === null) return;
    toast.ok(t(next === 'done' ? 'work:completed' : 'work:reopened', { name: saved.title }), {
      action: { label: t('common:undo'), run: () => void set(saved, before) },
    });
  };
}
