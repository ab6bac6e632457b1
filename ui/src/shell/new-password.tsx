import { useTranslation } from '@/i18n';
import { MIN_PASSWORD, passwordStrength } from '@/lib/password-strength';
import { PasswordInput } from '@/ui';
import css from './new-password.module.css';

/** How strong a password is, in words and a bar; nothing for none. */
export function PasswordStrength({ password }: { password: string }) {
  const { t } = useTranslation('auth');
  const strength = passwordStrength(password);
  if (password === '') return null;
  return (
    <div className={css.strength} role="status">
      <span className={css.meter} aria-hidden>
        {[1, 2, 3, 4].map((step) => (
          <i key={step} data-on={step <= strength ? strength : undefined} />
        ))}
      </span>
      {t(`auth:strength.${strength}`)}
    </div>
  );
}

interface Props {
  label: string;
  value: string;
  onChange: (password: string) => void;
  error?: string | undefined;
  size?: 'lg';
  autoFocus?: boolean;
}

/** A password to be set: the rule, what was wrong with it, how strong it is. */
export function NewPassword({ label, value, onChange, error, size, autoFocus }: Props) {
  const { t } = useTranslation('auth');
  return (
    <div className={css.field}>
      <PasswordInput
        {...(size !== undefined && { size })}
        {...(autoFocus === true && { autoFocus })}
        {...(error === undefined && { description: t('auth:passwordRule', { count: MIN_PASSWORD }) })}
        label={label}
        autoComplete="new-password"
        toggleLabel={t('auth:showPassword')}
        value={value}
        onChange={onChange}
        error={error}
      />
      <PasswordStrength password={value} />
    </div>
  );
}
