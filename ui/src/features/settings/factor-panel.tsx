import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { factorQuery, isApiError, useDropFactor, useNewRecoveryCodes } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useSession } from '@/metadata';
import { CodeInput, FactorSetup, problemText, RecoveryCodes } from '@/shell';
import { Button, Dot, ErrorState, Facts, Modal, Panel, PasswordInput, SkeletonRows, toast } from '@/ui';
import css from './settings.module.css';

interface ProofProps {
  title: string;
  text: string;
  submit: string;
  danger?: boolean;
  /** There is no authenticator, passkeys alone. */
  codeless?: boolean;
  pending: boolean;
  error: unknown;
  onSubmit: (proof: { password: string; code: string }) => void;
  onClose: () => void;
}
/** Asks for the password and a code before a change to how the person signs in. */
function ProofDialog({ title, text, submit, danger, codeless = false, pending, error, onSubmit, onClose }: ProofProps) {
  const { t } = useTranslation(['settings', 'common', 'auth']);
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const passwordless = useSession().user.no_password === true;
  const ready = (passwordless || password !== '') && (codeless || code !== '');
  const at = (field: string) => (isApiError(error) ? error.at(field) : undefined);
  const problem = problemText(error, 'password', 'code');
  const send = (event?: FormEvent) => {
    event?.preventDefault();
    if (ready) onSubmit({ password, code });
  };
  return (
    <Modal
      opened
      onClose={onClose}
      size={420}
      title={title}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button
            kind={danger === true ? 'danger' : 'primary'}
            loading={pending}
            disabled={!ready}
            onClick={() => send()}
          >
            {submit}
          </Button>
        </>
      }
    >
      <form className={css.form} onSubmit={send} noValidate>
        <p>{text}</p>
        {!passwordless && (
          <PasswordInput
            label={t('settings:password.current')}
            autoComplete="current-password"
            toggleLabel={t('settings:password.show')}
            value={password}
            onChange={setPassword}
            error={at('password')}
            autoFocus
          />
        )}
        {!codeless && <CodeInput value={code} onChange={setCode} error={at('code')} either />}
        {problem !== undefined && (
          <p className={css.bad} role="alert">
            {problem}
          </p>
        )}
        <button type="submit" hidden />
      </form>
    </Modal>
  );
}

type Opened = 'setup' | 'off' | 'codes' | null;

function Dialogs({ opened, codeless, onClose }: { opened: Opened; codeless: boolean; onClose: () => void }) {
  const { t } = useTranslation(['settings', 'auth']);
  const navigate = useNavigate();
  const passwordless = useSession().user.no_password === true;
  const drop = useDropFactor();
  const renew = useNewRecoveryCodes();
  const [codes, setCodes] = useState<string[] | null>(null);
  const close = () => {
    drop.reset();
    renew.reset();
    setCodes(null);
    onClose();
  };
  if (codes !== null)
    return (
      <Modal opened dismissible={false} onClose={close} size={440} title={t('auth:recovery.title')}>
        <RecoveryCodes codes={codes} onKept={close} />
      </Modal>
    );
  if (opened === 'setup')
    return (
      <Modal opened onClose={close} size={440} title={t('settings:factor.setup')}>
        <FactorSetup
          proved={passwordless}
          onDone={() => {
            toast.ok(t('settings:factor.turnedOn'));
            close();
          }}
        />
      </Modal>
    );
  if (opened === 'off')
    return (
      <ProofDialog
        title={t('settings:factor.offTitle')}
        text={t('settings:factor.offText')}
        submit={t('settings:factor.turnOff')}
        danger
        pending={drop.isPending}
        error={drop.error}
        onClose={close}
        onSubmit={(proof) =>
          drop.mutate(proof, {
            onSuccess: (owed) => {
              toast.ok(t('settings:factor.turnedOff'));
              if (owed) navigate({ to: '/sign-in' });
              else close();
            },
          })
        }
      />
    );
  if (opened === 'codes')
    return (
      <ProofDialog
        title={t('settings:factor.newCodes')}
        text={t('settings:factor.newCodesText')}
        submit={t('settings:factor.makeCodes')}
        codeless={codeless}
        pending={renew.isPending}
        error={renew.error}
        onClose={close}
        onSubmit={(proof) => renew.mutate(proof, { onSuccess: (made) => setCodes(made.codes) })}
      />
    );
  return null;
}

/** The person's second factor: on or off, since when, how many recovery codes are left. */
export function FactorPanel() {
  const { t } = useTranslation(['settings', 'ways']);
  const fmt = useFormat();
  const { data, error, refetch } = useQuery(factorQuery());
  const [opened, setOpened] = useState<Opened>(null);
  const any = data !== undefined && (data.on || data.passkeys > 0);
  return (
    <Panel
      title={t('settings:factor.title')}
      aside={
        data !== undefined && (
          <Dot color={any ? 'green' : 'gray'}>{t(any ? 'settings:factor.on' : 'settings:factor.off')}</Dot>
        )
      }
    >
      {data === undefined && error === null && <SkeletonRows rows={2} />}
      {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
      {data !== undefined && (
        <div className={css.form}>
          {!data.on && <p className="muted">{t(any ? 'ways:factor.more' : 'settings:factor.about')}</p>}
          {data.required && !any && <p className={css.warnBox}>{t('settings:factor.required')}</p>}
          {any && (
            <Facts>
              {data.since !== null && (
                <>
                  <dt>{t('settings:factor.since')}</dt>
                  <dd>{fmt.datetime(data.since)}</dd>
                </>
              )}
              <dt>{t('settings:factor.codes')}</dt>
              <dd>{t('settings:factor.left', { count: data.recovery_codes })}</dd>
            </Facts>
          )}
          {any && data.recovery_codes <= 3 && <p className={css.warnBox}>{t('settings:factor.fewCodes')}</p>}
          <div className={css.pills}>
            {!data.on && (
              <Button kind={any ? 'default' : 'primary'} onClick={() => setOpened('setup')}>
                {t(any ? 'ways:factor.app' : 'settings:factor.setup')}
              </Button>
            )}
            {any && <Button onClick={() => setOpened('codes')}>{t('settings:factor.newCodes')}</Button>}
            {data.on && (
              <Button kind="danger-subtle" onClick={() => setOpened('off')}>
                {t('settings:factor.turnOff')}
              </Button>
            )}
          </div>
        </div>
      )}
      <Dialogs opened={opened} codeless={data?.on === false} onClose={() => setOpened(null)} />
    </Panel>
  );
}
