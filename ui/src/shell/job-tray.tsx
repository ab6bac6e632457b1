import { IconX } from '@tabler/icons-react';
import { useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { activeJobsQuery, errorText, isJobBusy, type Job, jobQuery, steerJob, watchedJobs } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useStore } from '@/lib/store';
import { findObject, useObjectsIfLoaded } from '@/metadata';
import { useJobNews } from '@/records/mass/news';
import { IconButton, Progress, toast } from '@/ui';
import css from './job-tray.module.css';

/** Bulk work that goes on, whatever page is open. The end of what was started here is told. */
export function JobTray() {
  const { t } = useTranslation(['jobs', 'common']);
  const client = useQueryClient();
  const { ended } = useJobNews();
  const watched = useStore(watchedJobs);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const active = useQuery({ ...activeJobsQuery(), retry: false });
  const seen = useQueries({ queries: watched.map((id) => jobQuery(id)) });
  const over = seen.map((query) => query.data).find((job) => job !== undefined && !isJobBusy(job));

  useEffect(() => {
    if (over === undefined) return;
    watchedJobs.set((old) => old.filter((id) => id !== over.id));
    ended(over);
  });
  const running = (active.data?.items ?? []).filter((job) => isJobBusy(job) && !hidden.has(job.id));
  if (running.length === 0) return null;
  const cancel = async (job: Job) => {
    try {
      await steerJob(job.id, 'cancel');
      client.invalidateQueries({ queryKey: ['jobs'] });
    } catch (error) {
      toast.error(t('jobs:notCancelled'), { detail: errorText(error) });
    }
  };
  return (
    <section className={css.tray} aria-label={t('jobs:tray')}>
      {running.slice(0, 4).map((job) => (
        <Item
          key={job.id}
          job={job}
          onCancel={() => void cancel(job)}
          onHide={() => setHidden((old) => new Set([...old, job.id]))}
        />
      ))}
    </section>
  );
}

function Item({ job, onCancel, onHide }: { job: Job; onCancel: () => void; onHide: () => void }) {
  const { t } = useTranslation(['jobs', 'common']);
  const fmt = useFormat();
  const label = useLabel();
  const object = findObject(useObjectsIfLoaded(), job.object);
  const { done, total, seconds_left: left } = job.progress;
  const title = t(`jobs:doing.${job.status === 'undoing' ? 'undo' : job.kind}`, {
    name: label(object?.plural, job.object),
  });
  return (
    <div className={css.item}>
      <div className={css.head}>
        <Link to="/jobs" search={{ job: job.id }} className={css.title}>
          {title}
        </Link>
        <button type="button" className={css.cancel} onClick={onCancel}>
          {t('common:cancel')}
        </button>
        <IconButton label={t('jobs:hide')} icon={<IconX size={14} />} onClick={onHide} />
      </div>
      <Progress value={total === 0 ? null : done / total} label={title} />
      <div className={css.foot} role="status">
        {total === 0 ? t('jobs:collecting') : t('jobs:of', { done: fmt.number(done), total: fmt.number(total) })}
        {left > 1 && <span>{t('jobs:left', { text: fmt.duration(left) })}</span>}
      </div>
    </div>
  );
}
