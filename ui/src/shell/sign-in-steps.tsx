import { IconFingerprint } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import {
  isApiError,
  passkeysQuery,
  type SecondSteps,
  type Session,
  type SignInStage,
  type SignInStep,
  secondStepsQuery,
  useFinishSignIn,
  usePasskeySignIn,
  useSignIn,
} from '@/api';
import { useTranslation } from '@/i18n';
import { canPasskey } from '@/lib/passkey';
import { MIN_PASSWORD } from '@/lib/password-strength';
import { Button, SkeletonRows } from '@/ui';
import { CodeInput } from './code-input';
import css from './factor.module.css';
import { FactorSetup, problemText } from './factor-setup';
import { NewPassword } from './new-password';
import { PasskeySetup } from './passkey-setup';
import { usePasskeyProblem } from './passkey-words';

interface StepProps {
  onStep: (step: SignInStep) => void;
  /** Back to the password; `expired` when the server gave up waiting. */
  onBack: (expired: boolean) => void;
}

/** Over: the session of this sign-in has ended, or has gone on elsewhere. */
const isOver = (error: unknown): boolean =>
  isApiError(error, 401) || (isApiError(error) && error.code === 'auth.step_over');

type SecondWay = 'app' | 'recovery' | 'passkey';

/** The second step, in the way that the person has: a passkey before an app, since nobody can be tricked out of it. */
function CodeStep(props: StepProps) {
  const { data, error } = useQuery(secondStepsQuery());
  const [chosen, setChosen] = useState<SecondWay | null>(null);
  if (data === undefined && error === null) return <SkeletonRows rows={3} />;
  const ways: SecondSteps = data ?? { authenticator: true, passkey: false, recovery: true };
  const passkey = ways.passkey && canPasskey();
  const open: Record<SecondWay, boolean> = { passkey, app: ways.authenticator, recovery: ways.recovery || !passkey };
  const others = (now: SecondWay) =>
    (['passkey', 'app', 'recovery'] as const).filter((way) => open[way] && way !== now);
  const way = chosen ?? (['passkey', 'app', 'recovery'] as const).find((each) => open[each]) ?? 'recovery';
  const links = { others: others(way), choose: setChosen };
  if (way === 'passkey') return <PasskeyStep {...props} {...links} />;
  return <TypedStep key={way} recovery={way === 'recovery'} {...props} {...links} />;
}

interface WayLinks {
  others: SecondWay[];
  choose: (way: SecondWay) => void;
}

function Links({ others, choose, onBack, short = false }: WayLinks & Pick<StepProps, 'onBack'> & { short?: boolean }) {
  const { t } = useTranslation(['auth', 'ways']);
  const words: Record<SecondWay, string> = {
    app: t('auth:code.useApp'),
    recovery: t(short ? 'ways:passkey.useRecovery' : 'auth:code.useRecovery'),
    passkey: t('ways:passkey.usePasskey'),
  };
  return (
    <div className={css.links}>
      {others.map((way) => (
        <button key={way} type="button" className={css.link} onClick={() => choose(way)}>
          {words[way]}
        </button>
      ))}
      <button type="button" className={css.link} onClick={() => onBack(false)}>
        {t('auth:code.back')}
      </button>
    </div>
  );
}

function PasskeyStep({ onStep, onBack, ...links }: StepProps & WayLinks) {
  const { t } = useTranslation('ways');
  const show = usePasskeySignIn('step');
  const problem = usePasskeyProblem()(show.error);
  return (
    <div className={css.form}>
      <p className={css.text}>{t('ways:passkey.step')}</p>
      {problem !== undefined && (
        <p className={css.problem} role="alert">
          {problem}
        </p>
      )}
      <Button
        kind="primary"
        size="lg"
        fullWidth
        icon={<IconFingerprint size={18} />}
        loading={show.isPending}
        onClick={() => show.mutate(undefined, { onSuccess: onStep, onError: (error) => isOver(error) && onBack(true) })}
      >
        {t('ways:passkey.show')}
      </Button>
      <Links {...links} onBack={onBack} short />
    </div>
  );
}

function TypedStep({ recovery, onStep, onBack, ...links }: StepProps & WayLinks & { recovery: boolean }) {
  const { t } = useTranslation(['auth', 'common']);
  const [code, setCode] = useState('');
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
      <Links {...links} onBack={onBack} />
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
  const { t } = useTranslation('ways');
  const finish = useFinishSignIn();
  const [passkey, setPasskey] = useState(false);
  const possible = useQuery(passkeysQuery()).data?.possible === true && canPasskey();
  const done = () => finish.mutate(undefined, { onSuccess: (session: Session) => onStep({ session }) });
  return (
    <div className={css.form}>
      {passkey ? <PasskeySetup demanded proved onDone={done} /> : <FactorSetup demanded onDone={done} />}
      {possible && (
        <button type="button" className={css.link} onClick={() => setPasskey(!passkey)}>
          {t(passkey ? 'ways:passkey.enrolApp' : 'ways:passkey.enrol')}
        </button>
      )}
    </div>
  );
}

/** What a sign-in still owes after the password. */
export function SignInSteps({ stage, ...rest }: StepProps & { stage: SignInStage }) {
  if (stage === 'code') return <CodeStep {...rest} />;
  if (stage === 'password') return <PasswordStep {...rest} />;
  return <EnrolStep {...rest} />;
}
