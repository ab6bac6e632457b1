import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { stopQuery, useStopMails } from '@/api';
import { useTranslation } from '@/i18n';
import { Button, ButtonLink, SkeletonRows } from '@/ui';
import css from './auth.module.css';
import { PublicFrame } from './public-frame';

/** Where the last line of a notification leads. Looking at it stops nothing: programs that check links do not end mails. */
export function StopPage() {
  const { t } = useTranslation('links');
  const [token] = useState(() => location.hash.replace(/^#/, ''));
  const { data, error } = useQuery({ ...stopQuery(token), enabled: token !== '' });
  const stop = useStopMails();
  if (token === '' || error !== null)
    return (
      <PublicFrame title={t('links:stop.unknown')}>
        <ButtonLink to="/notifications" kind="primary" size="lg">
          {t('links:stop.settings')}
        </ButtonLink>
      </PublicFrame>
    );
  if (data === undefined)
    return (
      <PublicFrame title={t('links:loading')}>
        <SkeletonRows rows={2} />
      </PublicFrame>
    );
  const what = t(`links:stop.kind.${data.kind || 'digest'}`, { defaultValue: data.kind });
  if (stop.isSuccess)
    return (
      <PublicFrame title={t('links:stop.done')} lead={t('links:stop.doneText', { what, to: data.to })}>
        <ButtonLink to="/notifications" size="lg">
          {t('links:stop.settings')}
        </ButtonLink>
      </PublicFrame>
    );
  return (
    <PublicFrame title={t('links:stop.title')} lead={t('links:stop.lead', { what, to: data.to })}>
      {stop.error !== null && (
        <p className={css.problem} role="alert">
          {stop.error.message}
        </p>
      )}
      <Button kind="primary" size="lg" loading={stop.isPending} onClick={() => stop.mutate(token)}>
        {t('links:stop.do')}
      </Button>
    </PublicFrame>
  );
}
