import { type FormEvent, useState } from 'react';
import { isApiError, useAddPasskey } from '@/api';
import { useTranslation } from '@/i18n';
import { Button, PasswordInput, TextInput } from '@/ui';
import css from './factor.module.css';
import { usePasskeyProblem } from './passkey-words';
import { RecoveryCodes } from './recovery-codes';

interface Props {
  /** The password was given a moment ago, or there is none. */
  proved: boolean;
  /** A step of signing in, which the role demands. */
  demanded?: boolean;
  onDone: () => void;
}

/** Makes a passkey: password and name, the browser's own dialogue, and recovery codes with the first second factor. */
export function PasskeySetup({ proved, demanded = false, onDone }: Props) {
  const { t } = useTranslation(['ways', 'auth']);
  const [password, setPassword] = useState('');
  const [name, setName] = useState('');
  const add = useAddPasskey();
  const told = usePasskeyProblem();
  const at = (field: string) => (isApiError(add.error) ? add.error.at(field) : undefined);
  if (add.data !== undefined && add.data.length > 0) return <RecoveryCodes codes={add.data} onKept={onDone} />;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate({ password, name: name.trim() }, { onSuccess: (codes) => codes.length === 0 && onDone() });
  };
  const problem = at('password') ?? at('name');
  return (
    <form className={css.form} onSubmit={submit} noValidate>
      {demanded && (
        <p className={css.warn} role="status">
          {t('auth:factor.demanded')}
        </p>
      )}
      <p className={css.text}>{t(demanded ? 'ways:passkey.enrolText' : 'ways:passkey.about')}</p>
      {!proved && (
        <PasswordInput
          size="lg"
          label={t('ways:passkey.password')}
          autoComplete="current-password"
          toggleLabel={t('auth:showPassword')}
          value={password}
          onChange={setPassword}
          error={at('password')}
          autoFocus
        />
      )}
      <TextInput
        size="lg"
        label={t('ways:passkey.name')}
        placeholder={t('ways:passkey.nameHint')}
        description={t('ways:passkey.nameHelp')}
        maxLength={60}
        value={name}
        onChange={setName}
        error={at('name')}
      />
      {problem === undefined && add.error !== null && (
        <p className={css.problem} role="alert">
          {told(add.error)}
        </p>
      )}
      {add.isPending && (
        <p className={css.text} role="status">
          {t('ways:passkey.waiting')}
        </p>
      )}
      <Button
        kind="primary"
        size="lg"
        type="submit"
        fullWidth
        loading={add.isPending}
        disabled={!proved && password === ''}
      >
        {t('ways:passkey.make')}
      </Button>
    </form>
  );
}
