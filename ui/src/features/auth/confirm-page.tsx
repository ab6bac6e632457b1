import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { confirmConsent } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { Button } from '@/ui';
import css from './auth.module.css';
import { PublicFrame } from './public-frame';

/** Where the link of a mail that asks for confirmation leads. Looking at it confirms nothing: programs that check links agree to nothing. */
export function ConfirmPage() {
  const { t } = useTranslation('consent');
  const label = useLabel();
  const [token] = useState(() => location.hash.replace(/^#/, ''));
  const agree = useMutation({ mutationFn: () => confirmConsent(token) });
  if (token === '')
    return (
      <PublicFrame title={t('consent:pref.unknown')} lead={t('consent:pref.unknownText')}>
        <span />
      </PublicFrame>
    );
  if (agree.data !== undefined)
    return (
      <PublicFrame
        title={t('consent:pref.confirmed')}
        lead={t('consent:pref.confirmedText', {
          purpose: label(agree.data.purpose),
          workspace: agree.data.workspace,
        })}
      >
        <span />
      </PublicFrame>
    );
  return (
    <PublicFrame title={t('consent:pref.confirming')} lead={t('consent:pref.confirmLead')}>
      {agree.error !== null && (
        <p className={css.problem} role="alert">
          {agree.error.message}
        </p>
      )}
      <Button kind="primary" size="lg" loading={agree.isPending} onClick={() => agree.mutate()}>
        {t('consent:pref.confirmDo')}
      </Button>
    </PublicFrame>
  );
}
