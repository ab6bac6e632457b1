import { IconCheck, IconCopy, IconKey, IconPencil, IconSend, IconTrash, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import {
  isApiError,
  type MailProfile,
  type MailStep,
  mailStateQuery,
  useDeleteMailProfile,
  useMakeMailKey,
  useSaveMailProfile,
  useTestMailProfile,
} from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { copyText } from '@/lib/clipboard';
import { useSession } from '@/metadata';
import { Button, confirm, Drawer, Facts, IconButton, Switch, TextInput, toast } from '@/ui';
import own from './mail.module.css';
import { ProfileHealth } from './mail-page';
import css from './settings.module.css';

interface Props {
  profile: MailProfile;
  onClose: () => void;
  onEdit: () => void;
}

/** One server: whether it works, a test with each step, and how it signs. */
export function MailDrawer({ profile, onClose, onEdit }: Props) {
  const { t } = useTranslation(['mail', 'common']);
  const fmt = useFormat();
  const remove = useDeleteMailProfile();
  const askRemove = async () => {
    const sure = await confirm({
      title: t('mail:deleteTitle', { name: profile.name }),
      text: t('mail:deleteText'),
      confirm: t('common:delete'),
      danger: true,
    });
    if (!sure) return;
    try {
      await remove.mutateAsync(profile.id);
      onClose();
    } catch (failure) {
      toast.error(failure instanceof Error ? failure.message : String(failure));
    }
  };
  return (
    <Drawer
      opened
      onClose={onClose}
      size={560}
      title={profile.name}
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
        <ProfileHealth profile={profile} />
        {profile.failing_since !== null && (
          <p className={css.warnBox} role="status">
            {t('mail:failing', {
              since: fmt.datetime(profile.failing_since),
              reason: t(`mail:reason.${profile.last_error}`),
            })}
            {profile.last_reply !== '' && <code className={own.reply}>{profile.last_reply}</code>}
          </p>
        )}
        <Facts>
          <dt>{t('mail:host')}</dt>
          <dd className={own.host}>
            {profile.host}:{profile.port}
          </dd>
          <dt>{t('mail:security')}</dt>
          <dd>{t(`mail:securityOf.${profile.security}`)}</dd>
          {profile.username !== '' && (
            <>
              <dt>{t('mail:username')}</dt>
              <dd>{profile.username}</dd>
            </>
          )}
          <dt>{t('mail:from')}</dt>
          <dd>
            {profile.from_name} {profile.from_address}
          </dd>
          {(profile.per_minute > 0 || profile.per_hour > 0) && (
            <>
              <dt>{t('mail:limits')}</dt>
              <dd>
                {[
                  profile.per_minute > 0 && t('mail:aMinute', { count: profile.per_minute }),
                  profile.per_hour > 0 && t('mail:anHour', { count: profile.per_hour }),
                ]
                  .filter(Boolean)
                  .join(' \u00b7 ')}
              </dd>
            </>
          )}
        </Facts>
        <Test profile={profile} />
        <Signature profile={profile} />
        <Returns profile={profile} />
      </div>
    </Drawer>
  );
}

function Test({ profile }: { profile: MailProfile }) {
  const { t } = useTranslation('mail');
  const me = useSession().user;
  const [to, setTo] = useState(me?.email ?? '');
  const test = useTestMailProfile();
  const done = test.data;
  return (
    <section className="stack">
      <h3>{t('mail:test.title')}</h3>
      <form
        className={own.site}
        onSubmit={(event) => {
          event.preventDefault();
          test.mutate({ id: profile.id, to: to.trim() });
        }}
      >
        <TextInput
          label={t('mail:test.to')}
          type="email"
          value={to}
          onChange={setTo}
          error={isApiError(test.error) ? (test.error.at('to') ?? test.error.message) : undefined}
        />
        <Button type="submit" icon={<IconSend size={15} />} loading={test.isPending}>
          {t('mail:test.send')}
        </Button>
      </form>
      {done !== undefined && (
        <>
          <p role="status" className={done.ok ? own.fine : css.warnBox}>
            {done.ok ? t('mail:test.ok') : t(`mail:advice.${done.steps.at(-1)?.error ?? 'broken'}`)}
          </p>
          <ol className={own.steps}>
            {done.steps.map((step) => (
              <Step key={step.name} step={step} />
            ))}
          </ol>
        </>
      )}
    </section>
  );
}

function Step({ step }: { step: MailStep }) {
  const { t } = useTranslation('mail');
  const bad = step.error !== '';
  return (
    <li className={own.step} data-bad={bad || undefined}>
      {bad ? <IconX size={15} aria-hidden /> : <IconCheck size={15} aria-hidden />}
      <span>
        {t(`mail:step.${step.name}`)}
        {bad && <strong> {t(`mail:reason.${step.error}`)}</strong>}
        {step.info !== '' && <span className="muted"> {step.info}</span>}
        {step.reply !== '' && <code className={own.reply}>{step.reply}</code>}
      </span>
      <span className="muted">{step.ms} ms</span>
    </li>
  );
}

function Signature({ profile }: { profile: MailProfile }) {
  const { t } = useTranslation(['mail', 'common']);
  const make = useMakeMailKey();
  const save = useSaveMailProfile();
  const failed = (failure: unknown) => toast.error(failure instanceof Error ? failure.message : String(failure));
  const renew = async () => {
    const sure =
      profile.dns_name === '' ||
      (await confirm({
        title: t('mail:dkim.again'),
        text: t('mail:dkim.againText'),
        confirm: t('mail:dkim.again'),
        danger: true,
      }));
    if (sure) make.mutate(profile.id, { onError: failed });
  };
  return (
    <section className="stack">
      <h3>{t('mail:dkim.title')}</h3>
      <p className="muted">{t('mail:dkim.text')}</p>
      {profile.dns_name !== '' && (
        <>
          <Copyable label={t('mail:dkim.name')} value={profile.dns_name} />
          <Copyable label={t('mail:dkim.value')} value={profile.dns_value} />
          <Switch
            label={t('mail:dkim.on')}
            description={t('mail:dkim.onHelp')}
            checked={profile.sign}
            disabled={save.isPending}
            onChange={(sign) => save.mutate({ profile, change: { sign } }, { onError: failed })}
          />
        </>
      )}
      <div>
        <Button icon={<IconKey size={15} />} loading={make.isPending} onClick={renew}>
          {profile.dns_name === '' ? t('mail:dkim.make') : t('mail:dkim.again')}
        </Button>
      </div>
    </section>
  );
}

/** Where mails that come back are handed in. */
function Returns({ profile }: { profile: MailProfile }) {
  const { t } = useTranslation('mail');
  const site = useQuery(mailStateQuery()).data?.address ?? '';
  return (
    <section className="stack">
      <h3>{t('mail:returns.title')}</h3>
      <p className="muted">{t('mail:returns.text')}</p>
      <Copyable label={t('mail:returns.address')} value={`${site === '' ? location.origin : site}${profile.returns}`} />
      <Copyable
        label={t('mail:returns.example')}
        value={`bounce: "|curl -sS --data-binary @- -H 'Content-Type: message/rfc822' ${site === '' ? location.origin : site}${profile.returns}"`}
      />
    </section>
  );
}

function Copyable({ label, value }: { label: string; value: string }) {
  const { t } = useTranslation('mail');
  return (
    <div>
      <div className="muted">{label}</div>
      <div className={own.copyable}>
        <code>{value}</code>
        <IconButton
          label={t('mail:copy')}
          icon={<IconCopy size={15} />}
          onClick={async () => {
            if (await copyText(value)) toast.ok(t('mail:copied'));
          }}
        />
      </div>
    </div>
  );
}
