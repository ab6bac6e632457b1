import { type FormEvent, useState } from 'react';
import { isApiError, type Session, type SignInStage, type SignInStep, useFinishSignIn, useSignIn } from '@/api';
import { useTranslation } from '@/i18n';
import { MIN_PASSWORD } from '@/lib/password-strength';
import { Button } from '@/ui';
import { CodeInput } from './code-input';
import css from './factor.module.css';
import { FactorSetup, problemText } from './factor-setup';
import { NewPassword } from './new-password';

interface StepProps {
  onStep: (step: SignInStep) => void;
  /** Back to the password; `expired` when the server gave up waiting. */
  onBack: (expired: boolean) => void;
}

/** Over: the session of this sign-in has ended, or has gone on elsewhere. */
const isOver = (error: unknown): boolean =>
  isApiError(error, 401) || (isApiError(error) && error.code === 'auth.step_over');

function CodeStep({ onStep, onBack }: StepProps) {
  const { t } = useTranslation(['auth', 'common']);
  const [code, setCode] = useState('');
  const [recovery, setRecovery] = useState(false);
  const signIn = useSignIn();
  const send = (given: string) =>
    signIn.mutate(
      { code: given },
      {
        onSuccess: onStep,
        onError: (error) => {
          setCode('');
          if (isOver(error)) onBack(true);
        },
      },
    );
  const change = (next: string) => {
    setCode(next);
    // The sixth digit is the whole answer.
    if (!recovery && /^\d{6}$/.test(next) && !signIn.isPending) send(next);
  };
  const problem = problemText(signIn.error, 'code');
  return (
    <form
      className={css.form}
      noValidate
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        if (code !== '') send(code);
      }}
    >
      <p className={css.text}>{recovery ? t('auth:code.recoveryText') : t('auth:code.text')}</p>
      <CodeInput
        key={String(recovery)}
        recovery={recovery}
        value={code}
        onChange={change}
        error={isApiError(signIn.error) ? signIn.error.at('code') : undefined}
        autoFocus
      />
      {problem !== undefined && (
        <p className={css.problem} role="alert">
          {problem}
        </p>
      )}
      <Button kind="primary" size="lg" type="submit" fullWidth loading={signIn.isPending} disabled={code === ''}>
        {t('auth:code.submit')}
      </Button>
      <div className={css.links}>
        <button
          type="button"
          className={css.link}
          onClick={() => {
            setRecovery(!recovery);
            setCode('');
            signIn.reset();
          }}
        >
          {recovery ? t('auth:code.useApp') : t('auth:code.useRecovery')}
        </button>
        <button type="button" className={css.link} onClick={() => onBack(false)}>
          {t('auth:code.back')}
        </button>
      </div>
    </form>
  );
}

function PasswordStep({ onStep, onBack }: StepProps) {
  const { t } = useTranslation('auth');
  const [password, setPassword] = useState('');
  const [tried, setTried] = useState(false);
  const signIn = useSignIn();
  const short = [...password].length < MIN_PASSWORD;
  const problem = problemText(signIn.error, 'new_password');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (short) return;
    signIn.mutate({ new_password: password }, { onSuccess: onStep, onError: (error) => isOver(error) && onBack(true) });
  };
  const refused = isApiError(signIn.error) ? signIn.error.at('new_password') : undefined;
  return (
    <form className={css.form} onSubmit={submit} noValidate>
      <p className={css.text}>{t('auth:own.text')}</p>
      <NewPassword
        size="lg"
        label={t('auth:own.label')}
        value={password}
        onChange={setPassword}
        error={tried && short ? t('auth:passwordRule', { count: MIN_PASSWORD }) : refused}
        autoFocus
      />
      {problem !== undefined && (
        <p className={css.problem} role="alert">
          {problem}
        </p>
      )}
      <Button kind="primary" size="lg" type="submit" fullWidth loading={signIn.isPending}>
        {t('auth:own.submit')}
      </Button>
    </form>
  );
}

function EnrolStep({ onStep }: StepProps) {
  const finish = useFinishSignIn();
  const done = () => finish.mutate(undefined, { onSuccess: (session: Session) => onStep({ session }) });
  return <FactorSetup demanded onDone={done} />;
}

/** What a sign-in still owes after the password. */
export function SignInSteps({ stage, ...rest }: StepProps & { stage: SignInStage }) {
  if (stage === 'code') return <CodeStep {...rest} />;
  if (stage === 'password') return <PasswordStep {...rest} />;
  return <EnrolStep {...rest} />;
}
