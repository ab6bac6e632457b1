import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { errorText, isJobBusy, type Job, jobFileUrl, recordKeys, steerJob, watchJob } from '@/api';
import { useTranslation } from '@/i18n';
import { downloadFrom } from '@/lib/download';
import { toast } from '@/ui';

/** Says how bulk work ended, and offers what can be done next: undo, download, or a look at what did not work. */
export function useJobNews() {
  const { t } = useTranslation(['jobs', 'common']);
  const client = useQueryClient();
  const navigate = useNavigate();

  const details = (job: Job) => ({
    label: t('jobs:details'),
    run: () => void navigate({ to: '/jobs', search: { job: job.id } }),
  });
  const undo = async (id: string) => {
    try {
      follow(await steerJob(id, 'undo'));
    } catch (error) {
      toast.error(t('jobs:notUndone'), { detail: errorText(error) });
    }
  };

  const ended = (job: Job) => {
    client.invalidateQueries({ queryKey: ['jobs'] });
    if (job.kind !== 'export') client.invalidateQueries({ queryKey: recordKeys.object(job.object) });
    const { changed, unchanged, failed, skipped, restored = 0, partly = 0, kept = 0 } = job.result;
    if (job.status === 'failed')
      return toast.error(t('jobs:said.failed'), {
        detail: job.error?.detail ?? job.error?.title ?? '',
        action: details(job),
      });
    if (job.status === 'cancelled')
      return toast.info(t('jobs:said.cancelled', { count: changed }), { action: details(job) });
    if (job.status === 'undone') {
      if (kept + partly === 0) return toast.ok(t('jobs:said.undone', { count: restored }));
      return toast.error(t('jobs:said.undonePartly', { restored, kept: kept + partly }), { action: details(job) });
    }
    if (job.kind === 'export')
      return toast.ok(t('jobs:said.export', { count: changed }), {
        duration: 20_000,
        ...(job.file?.downloadable && {
          action: { label: t('jobs:download'), run: () => downloadFrom(jobFileUrl(job.id)) },
        }),
      });
    if (failed + skipped > 0)
      return toast.error(t('jobs:said.partly', { done: changed, left: failed + skipped }), {
        duration: 12_000,
        action: details(job),
      });
    if (changed === 0) return toast.info(t('jobs:said.same', { count: unchanged }));
    return toast.ok(t(`jobs:said.${job.kind}`, { count: changed }), {
      duration: 10_000,
      ...(job.undoable && { action: { label: t('common:undo'), run: () => void undo(job.id) } }),
    });
  };

  /** A job that has just been started: small ones have ended already, large ones are watched. */
  const follow = (job: Job) => {
    if (!isJobBusy(job)) return void ended(job);
    watchJob(client, job);
    if (job.kind === 'export') toast.info(t('jobs:said.exporting'));
  };
  return { follow, ended, undo };
}
