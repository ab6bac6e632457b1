import { IconBuilding, IconFingerprint } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { type SignInStep, signInWaysQuery, useAskProvider, useFinishSignIn, usePasskeySignIn } from '@/api';
import { useTranslation } from '@/i18n';
import { goAway, onSignedIn } from '@/lib/away';
import { canPasskey } from '@/lib/passkey';
import { Button } from '@/ui';
import { usePasskeyProblem } from './passkey-words';
import css from './sign-in-form.module.css';

interface Props {
  onStep: (step: SignInStep) => void;
  /** The page under the sign-in stays: a provider is asked in a window of its own. */
  apart: boolean;
}

/** Asks a provider, here or in a window apart, and waits for that window. */
function useProvider({ onStep, apart }: Props) {
  const ask = useAskProvider();
  const finish = useFinishSignIn();
  const [waiting, setWaiting] = useState(false);
  const { mutate } = finish;
  useEffect(() => {
    if (!waiting) return;
    return onSignedIn(() => mutate(undefined, { onSuccess: (session) => onStep({ session }) }));
  }, [waiting, mutate, onStep]);
  const go = async (id: string) => {
    const next = new URLSearchParams(location.search).get('next') ?? '/';
    // A window opens only while the press is fresh, so it opens before its address is known.
    const beside = apart ? window.open('', '_blank', 'width=520,height=700') : null;
    try {
      const to = await ask.mutateAsync(id);
      goAway(to, { next, apart: beside !== null });
      if (beside === null) return location.assign(to);
      setWaiting(true);
      beside.location.replace(to);
    } catch {
      beside?.close();
    }
  };
  return { go, pending: ask.isPending, error: ask.error ?? finish.error };
}

/** The ways to sign in beside the password, those that are set. */
export function SignInWays(props: Props) {
  const { t } = useTranslation('ways');
  const { data } = useQuery(signInWaysQuery());
  const passkey = usePasskeySignIn('alone');
  const provider = useProvider(props);
  const told = usePasskeyProblem();
  const problem = told(passkey.error) ?? told(provider.error);
  const providers = data?.providers ?? [];
  const keys = data?.passkey === true && canPasskey();
  if (!keys && providers.length === 0) return null;
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
      {providers.map(({ id, name }) => (
        <Button
          key={id}
          size="lg"
          fullWidth
          icon={<IconBuilding size={18} />}
          loading={provider.pending}
          onClick={() => void provider.go(id)}
        >
          {t('ways:provider.signIn', { name })}
        </Button>
      ))}
      {keys && (
        <Button
          size="lg"
          fullWidth
          icon={<IconFingerprint size={18} />}
          loading={passkey.isPending}
          onClick={() => passkey.mutate(undefined, { onSuccess: props.onStep })}
        >
          {t('ways:passkey.signIn')}
        </Button>
      )}
    </div>
  );
}
