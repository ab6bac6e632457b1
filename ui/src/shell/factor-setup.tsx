import { IconCopy } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { type Enrolment, isApiError, useBeginFactor, useConfirmFactor } from '@/api';
import { useTranslation } from '@/i18n';
import { copyText } from '@/lib/clipboard';
import { Button, toast } from '@/ui';
import { CodeInput } from './code-input';
import { EnrolForm } from './enrol-form';
import css from './factor.module.css';
import { RecoveryCodes } from './recovery-codes';

/** What to show for a refused request, unless one of its fields already says it. */
export function problemText(error: unknown, ...fields: string[]): string | undefined {
  if (error === null) return undefined;
  if (isApiError(error) && fields.some((field) => error.at(field) !== undefined)) return undefined;
  return error instanceof Error ? error.message : String(error);
}

interface Props {
  /** A step of signing in, which the role demands; a full session proves the password first instead. */
  demanded?: boolean;
  /** Somebody without a password has signed in a moment ago instead. */
  proved?: boolean;
  onDone: () => void;
}

/** Sets up an authenticator: password, square code, first code, recovery codes. */
export function FactorSetup({ demanded = false, proved = false, onDone }: Props) {
  const begin = useBeginFactor();
  const confirm = useConfirmFactor();
  if (confirm.data !== undefined) return <RecoveryCodes codes={confirm.data} onKept={onDone} />;
  if (begin.data !== undefined) return <Scan enrolment={begin.data} confirm={confirm} />;
  return <Begin demanded={demanded} proved={demanded || proved} begin={begin} />;
}

interface BeginProps {
  demanded: boolean;
  proved: boolean;
  begin: ReturnType<typeof useBeginFactor>;
}

function Begin({ demanded, proved, begin }: BeginProps) {
  const { t } = useTranslation('auth');
  return (
    <EnrolForm
      demanded={demanded}
      proved={proved}
      text={t('auth:factor.about')}
      passwordLabel={t('auth:factor.password')}
      passwordError={isApiError(begin.error) ? begin.error.at('password') : undefined}
      problem={problemText(begin.error, 'password')}
      submitLabel={t('auth:factor.next')}
      pending={begin.isPending}
      onSubmit={(password) => begin.mutate(password)}
    />
  );
}

const inFours = (secret: string): string => secret.replace(/(.{4})(?=.)/g, '$1 ');

function Scan({ enrolment, confirm }: { enrolment: Enrolment; confirm: ReturnType<typeof useConfirmFactor> }) {
  const { t } = useTranslation(['auth', 'common']);
  const [code, setCode] = useState('');
  const problem = problemText(confirm.error, 'code');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    confirm.mutate(code);
  };
  const copy = async () => {
    if (await copyText(enrolment.secret)) toast.ok(t('common:copied'));
  };
  return (
    <form className={css.form} onSubmit={submit} noValidate>
      <p className={css.text}>{t('auth:factor.scan')}</p>
      <img className={css.square} src={enrolment.qr} width={196} height={196} alt={t('auth:factor.picture')} />
      <details className={css.manual}>
        <summary>{t('auth:factor.manual')}</summary>
        <div className={css.secret}>
          <code data-testid="factor-secret">{inFours(enrolment.secret)}</code>
          <Button icon={<IconCopy size={15} />} onClick={copy}>
            {t('common:copy')}
          </Button>
        </div>
      </details>
      <CodeInput
        value={code}
        onChange={setCode}
        error={isApiError(confirm.error) ? confirm.error.at('code') : undefined}
        autoFocus
      />
      {problem !== undefined && (
        <p className={css.problem} role="alert">
          {problem}
        </p>
      )}
      <Button kind="primary" size="lg" type="submit" fullWidth loading={confirm.isPending} disabled={code === ''}>
        {t('auth:factor.turnOn')}
      </Button>
    </form>
  );
}
