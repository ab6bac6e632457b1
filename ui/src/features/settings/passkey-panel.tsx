import { IconFingerprint, IconPencil, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { isApiError, type Passkey, passkeysQuery, useRenamePasskey, useRevokePasskey } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { canPasskey } from '@/lib/passkey';
import { useSession } from '@/metadata';
import { PasskeySetup, problemText } from '@/shell';
import {
  Button,
  ErrorState,
  IconButton,
  Modal,
  Panel,
  PasswordInput,
  Pill,
  SkeletonRows,
  TextInput,
  toast,
} from '@/ui';
import css from './settings.module.css';

type Opened = { what: 'add' } | { what: 'rename' | 'revoke'; key: Passkey } | null;

function Rename({ passkey, onClose }: { passkey: Passkey; onClose: () => void }) {
  const { t } = useTranslation(['ways', 'common']);
  const [name, setName] = useState(passkey.name);
  const rename = useRenamePasskey();
  const send = (event?: FormEvent) => {
    event?.preventDefault();
    rename.mutate(
      { id: passkey.id, name: name.trim() },
      {
        onSuccess: () => {
          toast.ok(t('ways:passkey.renamed'));
          onClose();
        },
      },
    );
  };
  return (
    <Modal
      opened
      onClose={onClose}
      size={400}
      title={t('ways:passkey.rename')}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" loading={rename.isPending} disabled={name.trim() === ''} onClick={() => send()}>
            {t('ways:passkey.save')}
          </Button>
        </>
      }
    >
      <form className={css.form} onSubmit={send} noValidate>
        <TextInput
          label={t('ways:passkey.name')}
          maxLength={60}
          value={name}
          onChange={setName}
          error={isApiError(rename.error) ? (rename.error.at('name') ?? rename.error.message) : undefined}
          autoFocus
        />
        <button type="submit" hidden />
      </form>
    </Modal>
  );
}

function Revoke({ passkey, onClose }: { passkey: Passkey; onClose: () => void }) {
  const { t } = useTranslation(['ways', 'common', 'settings']);
  const navigate = useNavigate();
  const [password, setPassword] = useState('');
  const needed = useSession().user.no_password !== true;
  const revoke = useRevokePasskey();
  const send = async (event?: FormEvent) => {
    event?.preventDefault();
    if (needed && password === '') return;
    try {
      const owed = await revoke.mutateAsync({ id: passkey.id, password });
      toast.ok(t('ways:passkey.revoked'));
      if (owed) await navigate({ to: '/sign-in' });
      else onClose();
    } catch {
      // shown below
    }
  };
  const problem = problemText(revoke.error, 'password');
  return (
    <Modal
      opened
      onClose={onClose}
      size={420}
      title={t('ways:passkey.revokeTitle', { name: passkey.name })}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button
            kind="danger"
            loading={revoke.isPending}
            disabled={needed && password === ''}
            onClick={() => void send()}
          >
            {t('ways:passkey.revoke')}
          </Button>
        </>
      }
    >
      <form className={css.form} onSubmit={(event) => void send(event)} noValidate>
        <p>{t('ways:passkey.revokeText')}</p>
        {needed && (
          <PasswordInput
            label={t('ways:passkey.password')}
            autoComplete="current-password"
            toggleLabel={t('settings:password.show')}
            value={password}
            onChange={setPassword}
            error={isApiError(revoke.error) ? revoke.error.at('password') : undefined}
            autoFocus
          />
        )}
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

function Entry({ passkey, open }: { passkey: Passkey; open: (what: 'rename' | 'revoke') => void }) {
  const { t } = useTranslation('ways');
  const fmt = useFormat();
  const { name } = passkey;
  return (
    <li className={css.place}>
      <IconFingerprint size={22} stroke={1.5} aria-hidden />
      <div className={css.placeText}>
        <span>
          {name} {passkey.stopped_at !== null && <Pill color="red">{t('ways:passkey.stopped')}</Pill>}
          {passkey.stopped_at === null && passkey.synced && <Pill color="blue">{t('ways:passkey.synced')}</Pill>}
        </span>
        <span className="muted">
          {t('ways:passkey.since', { when: fmt.datetime(passkey.created_at) })} {'\u00b7'}{' '}
          {passkey.used_at === null
            ? t('ways:passkey.unused')
            : t('ways:passkey.used', { when: fmt.relative(passkey.used_at) })}
          {passkey.site !== location.hostname && ` \u00b7 ${t('ways:passkey.elsewhere', { site: passkey.site })}`}
        </span>
        {passkey.stopped_at !== null && <span className={css.bad}>{t('ways:passkey.stoppedText')}</span>}
      </div>
      <IconButton
        icon={<IconPencil size={16} />}
        label={t('ways:passkey.renameOf', { name })}
        onClick={() => open('rename')}
      />
      <Button onClick={() => open('revoke')} aria-label={t('ways:passkey.revokeOf', { name })}>
        {t('ways:passkey.revoke')}
      </Button>
    </li>
  );
}

/** The person's passkeys: made, named, revoked. */
export function PasskeyPanel() {
  const { t } = useTranslation('ways');
  const proved = useSession().user.no_password === true;
  const { data, error, refetch } = useQuery(passkeysQuery());
  const [opened, setOpened] = useState<Opened>(null);
  const close = () => setOpened(null);
  const items = data?.items ?? [];
  const able = data?.possible === true && canPasskey();
  return (
    <Panel
      title={t('ways:passkey.title')}
      aside={
        able && (
          <Button icon={<IconPlus size={15} />} onClick={() => setOpened({ what: 'add' })}>
            {t('ways:passkey.add')}
          </Button>
        )
      }
    >
      {data === undefined && error === null && <SkeletonRows rows={2} />}
      {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
      {data !== undefined && items.length === 0 && <p className="muted">{t('ways:passkey.about')}</p>}
      {data !== undefined && !able && (
        <p className={css.note}>{t(data.possible ? 'ways:passkey.unsupported' : 'ways:passkey.impossible')}</p>
      )}
      {items.length > 0 && (
        <ul className={css.places} aria-label={t('ways:passkey.title')}>
          {items.map((key) => (
            <Entry key={key.id} passkey={key} open={(what) => setOpened({ what, key })} />
          ))}
        </ul>
      )}
      {opened?.what === 'add' && (
        <Modal opened onClose={close} size={440} title={t('ways:passkey.add')}>
          <PasskeySetup
            proved={proved}
            onDone={() => {
              toast.ok(t('ways:passkey.added'));
              close();
            }}
          />
        </Modal>
      )}
      {opened?.what === 'rename' && <Rename passkey={opened.key} onClose={close} />}
      {opened?.what === 'revoke' && <Revoke passkey={opened.key} onClose={close} />}
    </Panel>
  );
}
