import { type FormEvent, lazy, Suspense, useState } from 'react';
import { isApiError, type Session, type SignInStage, type SignInStep, useSignIn } from '@/api';
import { useTranslation } from '@/i18n';
import { focusFirstInvalid, looksLikeEmail } from '@/lib/sign-form';
import { Button, PasswordInput, TextInput } from '@/ui';
import css from './sign-in-form.module.css';

const SignInWays = lazy(() => import('./sign-in-ways').then((module) => ({ default: module.SignInWays })));
const SignInSteps = lazy(() => import('./sign-in-steps').then((module) => ({ default: module.SignInSteps })));

interface Props {
  /** Fixed for a sign-in over the page: the same person goes on. */
  email?: string;
  onDone: (session: Session) => void;
  /** What is owed already, after another way than the password. */
  stage?: SignInStage;
  /** Told when a step is owed, and null when it is the password's turn again. */
  onStage?: (stage: SignInStage | null) => void;
}

function useProblemText(error: unknown): string | undefined {
  const { t } = useTranslation('auth');
  if (error === null) return undefined;
  if (isApiError(error, 401)) return t('auth:signIn.badCredentials');
  if (isApiError(error, 429)) return t('auth:signIn.locked');
  if (isApiError(error, 0)) return t('common:failed.network');
  return error instanceof Error ? error.message : t('common:failed.title');
}

export function SignInForm({ email: fixed, stage: owed, onDone, onStage }: Props) {
  const { t } = useTranslation(['auth', 'common']);
  const [email, setEmail] = useState(fixed ?? '');
  const [password, setPassword] = useState('');
  const [tried, setTried] = useState(false);
  const [stage, setStage] = useState<SignInStage | null>(owed ?? null);
  const [expired, setExpired] = useState(false);
  const noAddress = !looksLikeEmail(email);
  const signIn = useSignIn();
  const failed = useProblemText(signIn.error);
  const problem = expired ? t('auth:signIn.expired') : failed;
  const turn = (next: SignInStage | null) => {
    setStage(next);
    onStage?.(next);
  };
  const goOn = (step: SignInStep) => {
    if (step.session === null) return turn(step.stage);
    // Somebody else's passkey over a page: what is shown there is not theirs.
    if (fixed !== undefined && step.session.user.email !== fixed) return location.assign('/');
    onDone(step.session);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (noAddress || password === '') {
      focusFirstInvalid(event.currentTarget as HTMLElement);
      return;
    }
    setExpired(false);
    signIn.mutate({ email: email.trim(), password }, { onSuccess: goOn });
  };
  if (stage !== null)
    return (
      <Suspense>
        <SignInSteps
          stage={stage}
          onStep={goOn}
          onBack={(late) => {
            turn(null);
            setPassword('');
            setTried(false);
            setExpired(late);
          }}
        />
      </Suspense>
    );
  return (
    <>
      <form className={css.form} onSubmit={submit} noValidate>
        <TextInput
          size="lg"
          type="email"
          name="email"
          label={t('auth:email')}
          value={email}
          onChange={setEmail}
          autoComplete="username"
          error={tried && noAddress ? t('auth:emailNeeded') : undefined}
          required
          readOnly={fixed !== undefined}
          autoFocus={fixed === undefined}
        />
        <PasswordInput
          size="lg"
          name="password"
          label={t('auth:password')}
          value={password}
          onChange={setPassword}
          autoComplete="current-password"
          toggleLabel={t('auth:showPassword')}
          error={tried && password === '' ? t('auth:passwordNeeded') : undefined}
          required
          autoFocus={fixed !== undefined}
        />
        {problem !== undefined && (
          <p className={css.problem} role="alert">
            {problem}
          </p>
        )}
        <Button kind="primary" size="lg" type="submit" fullWidth loading={signIn.isPending}>
          {t('auth:signIn.submit')}
        </Button>
      </form>
      <Suspense>
        <SignInWays onStep={goOn} apart={fixed !== undefined} />
      </Suspense>
    </>
  );
}
