import type { Job } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { findField, findObject, useObjects } from '@/metadata';

/** What a job does, in a few words. */
export function useJobTitle(): (job: Job) => string {
  const { t } = useTranslation('jobs');
  const label = useLabel();
  const objects = useObjects();
  return (job) => {
    const object = findObject(objects, job.object);
    const name = (key: string) => label(object === undefined ? undefined : findField(object, key)?.label, key);
    if (job.kind === 'edit')
      return t('jobs:did.edit', {
        fields: [...new Set(job.changes.map((change) => name(change.field)))].join(t('jobs:comma')),
      });
    if (job.kind === 'assign')
      return job.owner === null ? t('jobs:did.unassign') : t('jobs:did.assign', { name: job.owner.title });
    if (job.kind === 'export') return t('jobs:did.export', { format: job.file?.format.toUpperCase() ?? '' });
    return t(`jobs:did.${job.kind}`);
  };
}
