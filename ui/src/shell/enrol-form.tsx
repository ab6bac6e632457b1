import { type FormEvent, type ReactNode, useState } from 'react';
import { useTranslation } from '@/i18n';
import { Button, PasswordInput } from '@/ui';
import css from './factor.module.css';

interface Props {
  /** A step of signing in, which the role demands. */
  demanded: boolean;
  /** The password was given a moment ago, or there is none. */
  proved: boolean;
  text: string;
  passwordLabel: string;
  passwordError: string | undefined;
  /** What went wrong, unless a field says it. */
  problem: string | undefined;
  submitLabel: string;
  pending: boolean;
  /** What is shown while one waits. */
  waiting?: string;
  onSubmit: (password: string) => void;
  /** Further fields. */
  children?: ReactNode;
}

/** The first step to a second factor: what it is, and the password. */
export function EnrolForm(props: Props) {
  const { t } = useTranslation('auth');
  const [password, setPassword] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    props.onSubmit(password);
  };
  return (
    <form className={css.form} onSubmit={submit} noValidate>
      {props.demanded && (
        <p className={css.warn} role="status">
          {t('auth:factor.demanded')}
        </p>
      )}
      <p className={css.text}>{props.text}</p>
      {!props.proved && (
        <PasswordInput
          size="lg"
          label={props.passwordLabel}
          autoComplete="current-password"
          toggleLabel={t('auth:showPassword')}
          value={password}
          onChange={setPassword}
          error={props.passwordError}
          autoFocus
        />
      )}
      {props.children}
      {props.problem !== undefined && (
        <p className={css.problem} role="alert">
          {props.problem}
        </p>
      )}
      {props.pending && props.waiting !== undefined && (
        <p className={css.text} role="status">
          {props.waiting}
        </p>
      )}
      <Button
        kind="primary"
        size="lg"
        type="submit"
        fullWidth
        loading={props.pending}
        disabled={!props.proved && password === ''}
      >
        {props.submitLabel}
      </Button>
    </form>
  );
}
