import { useTranslation } from '@/i18n';
import { TextInput } from '@/ui';
import css from './factor.module.css';

interface Props {
  value: string;
  onChange: (code: string) => void;
  /** A recovery code in place of the six digits. */
  recovery?: boolean;
  /** Either of the two. */
  either?: boolean;
  error?: string | undefined;
  autoFocus?: boolean;
}

/** Six digits from the authenticator, or a recovery code. */
export function CodeInput({ value, onChange, recovery = false, either = false, error, autoFocus }: Props) {
  const { t } = useTranslation('auth');
  let kind: 'label' | 'recovery' | 'either' = 'label';
  if (either) kind = 'either';
  else if (recovery) kind = 'recovery';
  const letters = kind !== 'label';
  return (
    <TextInput
      size="lg"
      name="code"
      className={css.code}
      label={t(`auth:code.${kind}`)}
      placeholder={recovery ? 'xxxxx-xxxxx' : '000000'}
      inputMode={letters ? 'text' : 'numeric'}
      autoComplete="one-time-code"
      maxLength={letters ? 14 : 8}
      value={value}
      onChange={onChange}
      error={error}
      {...(autoFocus === true && { autoFocus })}
    />
  );
}
