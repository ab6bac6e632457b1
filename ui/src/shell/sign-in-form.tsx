import { type FormEvent, useState } from 'react';
import { isApiError, type Session, useSignIn } from '@/api';
import { useTranslation } from '@/i18n';
import { Button, PasswordInput, TextInput } from '@/ui';
import css from './sign-in-form.module.css';

interface Props {
  /** Fixed for a sign-in over the page: the same person goes on. */
  email?: string;
  onDone: (session: Session) => void;
}

function useProblemText(error: unknown): string | undefined {
  const { t } = useTranslation('auth');
  if (error === null) return undefined;
  if (isApiError(error, 401)) return t('auth:signIn.badCredentials');
  if (isApiError(error, 429)) return t('auth:signIn.locked');
  if (isApiError(error, 0)) return t('common:failed.network');
  return error instanceof Error ? error.message : t('common:failed.title');
}

export function SignInForm({ email: fixed, onDone }: Props) {
  const { t } = useTranslation(['auth', 'common']);
  const [email, setEmail] = useState(fixed ?? '');
  const [password, setPassword] = useState('');
  const signIn = useSignIn();
  const problem = useProblemText(signIn.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate({ email: email.trim(), password }, { onSuccess: onDone });
  };
  return (
    <form className={css.form} onSubmit={submit}>
      <TextInput
        size="lg"
        type="email"
        name="email"
        label={t('auth:email')}
        value={email}
        onChange={setEmail}
        autoComplete="username"
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
  );
}
