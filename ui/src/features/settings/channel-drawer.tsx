import { IconCopy, IconPencil, IconRefresh, IconSend, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import {
  type ChannelAccount,
  isApiError,
  mailStateQuery,
  useDeleteChannel,
  useTestChannel,
  useTurnChannel,
} from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { copyText } from '@/lib/clipboard';
import { Button, confirm, Drawer, Facts, IconButton, TextInput, toast } from '@/ui';
import { ChannelHealth } from './channel-health';
import own from './mail.module.css';
import css from './settings.module.css';

interface Props {
  account: ChannelAccount;
  onClose: () => void;
  onEdit: () => void;
}

const failed = (failure: unknown) => toast.error(failure instanceof Error ? failure.message : String(failure));

/** Codes that our side makes up have words; those of providers are shown as they are. */
function useReason() {
  const { t, i18n } = useTranslation('channels');
  return (code: string) => {
    const key = `channels:reason.${code.replaceAll('.', '_')}`;
    return i18n.exists(key) ? t(key) : code;
  };
}

/** One account: whether it works, a test, and where the provider tells what became of messages. */
export function ChannelDrawer({ account, onClose, onEdit }: Props) {
  const { t } = useTranslation(['channels', 'common']);
  const fmt = useFormat();
  const reason = useReason();
  const remove = useDeleteChannel();
  const askRemove = async () => {
    const sure = await confirm({
      title: t('channels:deleteTitle', { name: account.name }),
      text: t('channels:deleteText'),
      confirm: t('common:delete'),
      danger: true,
    });
    if (!sure) return;
    remove.mutate(account.id, { onSuccess: onClose, onError: failed });
  };
  return (
    <Drawer
      opened
      onClose={onClose}
      size={560}
      title={account.name}
      footer={
        <>
          <Button kind="subtle" icon={<IconTrash size={15} />} loading={remove.isPending} onClick={askRemove}>
            {t('common:delete')}
          </Button>
          <Button icon={<IconPencil size={15} />} onClick={onEdit}>
            {t('common:edit')}
          </Button>
        </>
      }
    >
      <div className="stack">
        <span>
          <ChannelHealth account={account} />
        </span>
        {account.failing_since !== null && (
          <p className={css.warnBox} role="status">
            {t('channels:failing', { since: fmt.datetime(account.failing_since), reason: reason(account.last_error) })}
          </p>
        )}
        <Facts>
          <dt>{t('channels:provider')}</dt>
          <dd>{t(`channels:providers.${account.channel === 'webhook' ? 'webhook' : account.provider}`)}</dd>
          {account.endpoint !== '' && (
            <>
              <dt>{t('channels:endpoint')}</dt>
              <dd className={own.host}>{account.endpoint}</dd>
            </>
          )}
          {account.key !== '' && (
            <>
              <dt>{t('channels:key')}</dt>
              <dd className={own.host}>{account.key}</dd>
            </>
          )}
          {account.sign !== '' && (
            <>
              <dt>{t('channels:sign')}</dt>
              <dd>{account.sign}</dd>
            </>
          )}
        </Facts>
        <Test account={account} />
        <Inbox account={account} />
      </div>
    </Drawer>
  );
}

function Test({ account }: { account: ChannelAccount }) {
  const { t } = useTranslation('channels');
  const reason = useReason();
  const [to, setTo] = useState('');
  const [code, setCode] = useState('');
  const [said, setSaid] = useState('');
  const text = account.channel === 'sms';
  const test = useTestChannel();
  const fault = (field: string) => (isApiError(test.error) ? test.error.at(field) : undefined);
  const whole = isApiError(test.error) && test.error.fields.length === 0 ? test.error.message : null;
  const done = test.data;
  return (
    <section className="stack">
      <h3>{t('channels:test.title')}</h3>
      <form
        className={own.site}
        onSubmit={(event) => {
          event.preventDefault();
          test.mutate({ id: account.id, to: to.trim(), text: said, code: code.trim(), params: [] });
        }}
      >
        {text && <TextInput label={t('channels:test.to')} type="tel" value={to} onChange={setTo} error={fault('to')} />}
        {text && account.provider === 'http' && (
          <TextInput label={t('channels:test.text')} value={said} onChange={setSaid} error={fault('text')} />
        )}
        {text && account.provider !== 'http' && (
          <TextInput
            label={t('channels:test.code')}
            placeholder={t('channels:test.codeExample')}
            value={code}
            onChange={setCode}
            error={fault('code')}
          />
        )}
        <Button
          type="submit"
          icon={<IconSend size={15} />}
          loading={test.isPending}
          disabled={text && to.trim() === ''}
        >
          {t('channels:test.send')}
        </Button>
      </form>
      {whole !== null && (
        <p className={css.bad} role="alert">
          {whole}
        </p>
      )}
      {done !== undefined && (
        <p role="status" className={done.outcome === 'taken' ? own.fine : css.warnBox}>
          {t(`channels:${text ? 'outcome' : 'callOutcome'}.${done.outcome}`)}
          {done.code !== '' && <code className={own.reply}>{reason(done.code)}</code>}
          {done.detail !== '' && <code className={own.reply}>{done.detail}</code>}
        </p>
      )}
    </section>
  );
}

/** Where receipts and answers come in. */
function Inbox({ account }: { account: ChannelAccount }) {
  const { t } = useTranslation('channels');
  const turn = useTurnChannel();
  const site = useQuery(mailStateQuery()).data?.address ?? '';
  if (account.inbox === '') return null;
  const address = `${site === '' ? location.origin : site}${account.inbox}`;
  const renew = async () => {
    const sure = await confirm({
      title: t('channels:inbox.turn'),
      text: t('channels:inbox.turnText'),
      confirm: t('channels:inbox.turn'),
      danger: true,
    });
    if (sure) turn.mutate(account.id, { onError: failed });
  };
  return (
    <section className="stack">
      <h3>{t('channels:inbox.title')}</h3>
      <p className="muted">{t('channels:inbox.text')}</p>
      <div className={own.copyable}>
        <code>{address}</code>
        <IconButton
          label={t('channels:inbox.copy')}
          icon={<IconCopy size={15} />}
          onClick={async () => {
            if (await copyText(address)) toast.ok(t('channels:inbox.copied'));
          }}
        />
      </div>
      <div>
        <Button icon={<IconRefresh size={15} />} loading={turn.isPending} onClick={renew}>
          {t('channels:inbox.turn')}
        </Button>
      </div>
    </section>
  );
}
