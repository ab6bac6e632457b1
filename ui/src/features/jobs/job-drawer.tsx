import { IconArrowBackUp, IconDownload, IconPlayerPlay, IconPlayerStop } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { errorText, isJobBusy, type Job, jobErrorsUrl, jobFileUrl, jobQuery, steerJob } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { findField, findObject, useObjects } from '@/metadata';
import { useJobNews } from '@/records/mass/news';
import { Button, ButtonAnchor, Drawer, ErrorState, Progress, SkeletonRows, toast } from '@/ui';
import css from './jobs.module.css';
import { useJobTitle } from './title';

export function JobDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation('jobs');
  const title = useJobTitle();
  const { data, error, refetch } = useQuery({ ...jobQuery(id), retry: false });
  return (
    <Drawer opened onClose={onClose} size={480} title={data === undefined ? t('jobs:title') : title(data)}>
      {data !== undefined && <Details job={data} />}
      {data === undefined && error === null && <SkeletonRows rows={6} />}
      {data === undefined && error !== null && <ErrorState compact error={error} onRetry={() => refetch()} />}
    </Drawer>
  );
}

function Details({ job }: { job: Job }) {
  const { t } = useTranslation('jobs');
  const fmt = useFormat();
  const label = useLabel();
  const object = findObject(useObjects(), job.object);
  const { changed, unchanged, skipped, failed, shortened = 0, restored, partly, kept, seconds, bytes = 0 } = job.result;
  const fact = (key: string, value: string | null | undefined) =>
    value === null || value === undefined || value === '' ? null : (
      <div key={key}>
        <dt>{t(`jobs:fact.${key}`)}</dt>
        <dd>{value}</dd>
      </div>
    );
  const count = (key: string, n: number | undefined) => (n === undefined || n === 0 ? null : fact(key, fmt.number(n)));
  const { done, total, rate, seconds_left: left } = job.progress;
  return (
    <div className={css.details}>
      {isJobBusy(job) && (
        <div>
          <Progress value={total === 0 ? null : done / total} label={t('jobs:progress')} />
          <p className="muted" role="status">
            {total === 0 ? t('jobs:collecting') : t('jobs:of', { done: fmt.number(done), total: fmt.number(total) })}
            {rate > 0 && ` · ${t('jobs:rate', { text: fmt.number(Math.round(rate)) })}`}
            {left > 1 && ` · ${t('jobs:left', { text: fmt.duration(left) })}`}
          </p>
        </div>
      )}
      {job.error !== null && (
        <div className={css.problem} role="alert">
          {job.error.detail ?? job.error.title}
        </div>
      )}
      <Actions job={job} />
      <dl className={css.facts}>
        {fact('status', t(`jobs:status.${job.status}`))}
        {fact('object', label(object?.plural, job.object))}
        {fact('source', t(`jobs:source.${job.source}`, { name: job.segment ?? '' }))}
        {job.changes.map((change) =>
          fact(
            `op_${change.op}`,
            `${label(object === undefined ? undefined : findField(object, change.field)?.label, change.field)}${change.op === 'clear' ? '' : ` ${plain(change.value)}`}`,
          ),
        )}
        {job.kind !== 'export' && fact('meanwhile', t(`jobs:meanwhile.${job.changed}`))}
        {count(job.kind === 'export' ? 'rows' : 'changed', changed)}
        {count('unchanged', unchanged)}
        {count('skipped', skipped)}
        {count('failed', failed)}
        {count('restored', restored)}
        {count('partly', partly)}
        {count('kept', kept)}
        {count('shortened', shortened)}
        {bytes > 0 && fact('size', fmt.bytes(bytes))}
        {seconds > 0 && fact('seconds', fmt.duration(seconds))}
        {fact('by', job.created_by?.title)}
        {fact('at', fmt.datetime(job.created_at))}
        {job.file?.downloadable && job.file.expires_at !== null && fact('expires', fmt.datetime(job.file.expires_at))}
      </dl>
      {job.errors_sample.length > 0 && (
        <section aria-label={t('jobs:errors')}>
          <div className={css.errorsHead}>
            <h3>{t('jobs:errors')}</h3>
            <ButtonAnchor href={jobErrorsUrl(job.id)} download="" icon={<IconDownload size={15} />}>
              {t('jobs:allErrors')}
            </ButtonAnchor>
          </div>
          <ul className={css.errors}>
            {job.errors_sample.map((error) => (
              <li key={error.record.id}>
                <Link to="/o/$object/$id" params={{ object: error.record.object, id: error.record.id }}>
                  {error.record.title || error.record.id}
                </Link>
                <span>{error.message}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

/** A value as it was sent, readable enough for a list of facts. */
function plain(value: unknown): string {
  if (Array.isArray(value)) return value.map(plain).join(', ');
  if (typeof value === 'object' && value !== null) {
    const { amount, currency, title } = value as { amount?: string; currency?: string; title?: string };
    return amount !== undefined ? `${amount} ${currency ?? ''}` : (title ?? JSON.stringify(value));
  }
  return String(value ?? '');
}

function Actions({ job }: { job: Job }) {
  const { t } = useTranslation(['jobs', 'common']);
  const client = useQueryClient();
  const { follow } = useJobNews();
  const [busy, setBusy] = useState(false);
  const steer = async (what: 'cancel' | 'resume' | 'undo') => {
    setBusy(true);
    try {
      const next = await steerJob(job.id, what);
      client.setQueryData(['jobs', 'one', job.id], next);
      if (what === 'cancel') client.invalidateQueries({ queryKey: ['jobs'] });
      else follow(next);
    } catch (error) {
      toast.error(t('jobs:notDone'), { detail: errorText(error) });
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className={css.actions}>
      {isJobBusy(job) && (
        <Button icon={<IconPlayerStop size={15} />} loading={busy} onClick={() => void steer('cancel')}>
          {t('common:cancel')}
        </Button>
      )}
      {job.file?.downloadable && (
        <ButtonAnchor kind="primary" href={jobFileUrl(job.id)} download="" icon={<IconDownload size={15} />}>
          {t('jobs:download')}
        </ButtonAnchor>
      )}
      {job.resumable && (
        <Button icon={<IconPlayerPlay size={15} />} loading={busy} onClick={() => void steer('resume')}>
          {t('jobs:resume')}
        </Button>
      )}
      {job.undoable && (
        <Button icon={<IconArrowBackUp size={15} />} loading={busy} onClick={() => void steer('undo')}>
          {t('jobs:undo')}
        </Button>
      )}
    </div>
  );
}
