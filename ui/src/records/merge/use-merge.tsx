import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { errorText, type MergeInput, type MergeResult, mergeRecords, unmergeRecords } from '@/api';
import { useTranslation } from '@/i18n';
import { toast } from '@/ui';

export interface MergeWork {
  busy: boolean;
  /** null when it failed; why was said. */
  merge: (input: MergeInput) => Promise<MergeResult | null>;
  unmerge: (id: string) => Promise<MergeResult | null>;
}

/** Merging and taking it back: what is shown follows, and both can be undone. */
export function useMergeWork(object: string): MergeWork {
  const { t } = useTranslation(['merge', 'common']);
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  // Orders and contacts move along, so every list may show something else.
  const refresh = () =>
    Promise.all([
      // What a merge would do cannot be asked any more once it is done.
      client.invalidateQueries({ queryKey: ['records'], predicate: ({ queryKey }) => queryKey[2] !== 'merge' }),
      client.invalidateQueries({ queryKey: ['customers'] }),
      client.invalidateQueries({ queryKey: ['duplicates'] }),
    ]);
  const guarded = async (work: () => Promise<MergeResult>) => {
    setBusy(true);
    try {
      const done = await work();
      await refresh();
      return done;
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
      return null;
    } finally {
      setBusy(false);
    }
  };
  const unmerge = async (id: string) => {
    const done = await guarded(() => unmergeRecords(object, id));
    if (done !== null) toast.ok(t('merge:undone', { count: done.restored?.length ?? 0 }));
    return done;
  };
  return {
    busy,
    unmerge,
    async merge(input) {
      const done = await guarded(() => mergeRecords(object, input));
      if (done !== null)
        toast.ok(t('merge:done', { count: input.ids.length + 1, name: done.record.title }), {
          action: { label: t('common:undo'), run: () => void unmerge(done.merge) },
          ...(done.moving ? { detail: t('merge:moving', { count: done.total - done.moved }) } : {}),
          duration: 8000,
        });
      return done;
    },
  };
}
