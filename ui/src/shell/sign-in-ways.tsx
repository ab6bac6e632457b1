import { IconFingerprint } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type SignInStep, signInWaysQuery, usePasskeySignIn } from '@/api';
import { useTranslation } from '@/i18n';
import { canPasskey } from '@/lib/passkey';
import { Button } from '@/ui';
import { usePasskeyProblem } from './passkey-words';
import css from './sign-in-form.module.css';

/** The ways to sign in beside the password, those that are set. */
export function SignInWays({ onStep }: { onStep: (step: SignInStep) => void }) {
  const { t } = useTranslation('ways');
  const { data } = useQuery(signInWaysQuery());
  const passkey = usePasskeySignIn('alone');
  const problem = usePasskeyProblem()(passkey.error);
  if (data?.passkey !== true || !canPasskey()) return null;
  return (
    <div className={css.ways}>
      <div className={css.or}>
        <span>{t('ways:or')}</span>
      </div>
      {problem !== undefined && (
        <p className={css.problem} role="alert">
          {problem}
        </p>
      )}
      <Button
        size="lg"
        fullWidth
        icon={<IconFingerprint size={18} />}
        loading={passkey.isPending}
        onClick={() => passkey.mutate(undefined, { onSuccess: onStep })}
      >
        {t('ways:passkey.signIn')}
      </Button>
    </div>
  );
}
