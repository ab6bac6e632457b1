import { useState } from 'react';
import { useAskReset } from '@/api';
import { useTranslation } from '@/i18n';
import { Button, ButtonLink, TextInput } from '@/ui';
import css from './auth.module.css';
import { PublicFrame } from './public-frame';

/** Asks for a link to set a new password. The answer does not tell whether there is such an account. */
export function ForgotPage() {
  const { t } = useTranslation('links');
  const [email, setEmail] = useState('');
  const ask = useAskReset();
  if (ask.isSuccess)
    return (
      <PublicFrame title={t('links:forgot.sent')} lead={t('links:forgot.sentText', { email: email.trim() })}>
        <ButtonLink to="/sign-in" size="lg">
          {t('links:toSignIn')}
        </ButtonLink>
      </PublicFrame>
    );
  return (
    <PublicFrame title={t('links:forgot.title')} lead={t('links:forgot.lead')}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (email.trim() !== '') ask.mutate(email.trim());
        }}
      >
        <TextInput
          label={t('links:email')}
          size="lg"
          type="email"
          autoComplete="username"
          autoFocus
          value={email}
          onChange={setEmail}
        />
        {ask.error !== null && (
          <p className={css.problem} role="alert">
            {ask.error.message}
          </p>
        )}
        <Button type="submit" kind="primary" size="lg" loading={ask.isPending} disabled={email.trim() === ''}>
          {t('links:forgot.do')}
        </Button>
        <ButtonLink to="/sign-in" kind="subtle" size="lg">
          {t('links:toSignIn')}
        </ButtonLink>
      </form>
    </PublicFrame>
  );
}
