import { useState } from 'react';
import {
  isApiError,
  MAIL_SECURITY,
  type MailProfile,
  type MailProfileInput,
  type MailSecurity,
  useSaveMailProfile,
} from '@/api';
import { useTranslation } from '@/i18n';
import { Button, Modal, NumberInput, PasswordInput, Select, Switch, TextInput, toast } from '@/ui';
import own from './mail.module.css';
import css from './settings.module.css';

const PORTS: Record<MailSecurity, number> = { starttls: 587, tls: 465, none: 25 };

interface Props {
  /** Undefined for a new server. */
  profile?: MailProfile;
  onClose: () => void;
  onSaved: (profile: MailProfile) => void;
}

/** Everything about a mail server that a person sets. */
export function MailForm({ profile, onClose, onSaved }: Props) {
  const { t } = useTranslation(['mail', 'common']);
  const [start] = useState<MailProfileInput>(() => ({
    name: profile?.name ?? '',
    host: profile?.host ?? '',
    port: profile?.port ?? 587,
    security: profile?.security ?? 'starttls',
    username: profile?.username ?? '',
    from_name: profile?.from_name ?? '',
    from_address: profile?.from_address ?? '',
    reply_to: profile?.reply_to ?? '',
    per_minute: profile?.per_minute ?? 0,
    per_hour: profile?.per_hour ?? 0,
    active: profile?.active ?? true,
    ...(profile !== undefined && { standard: profile.standard }),
  }));
  const [draft, setDraft] = useState(start);
  const [password, setPassword] = useState('');
  const save = useSaveMailProfile();
  const set = (change: MailProfileInput) => setDraft((old) => ({ ...old, ...change }));
  const fault = (field: string) => (isApiError(save.error) ? save.error.at(field) : undefined);
  const whole = isApiError(save.error) && save.error.fields.length === 0 ? save.error.message : null;
  const ready = [draft.name, draft.host, draft.from_address].every((each) => each?.trim() !== '');
  const submit = async () => {
    if (!ready || save.isPending) return;
    try {
      const saved = await save.mutateAsync({
        ...(profile !== undefined && { profile }),
        change: { ...draft, ...(password !== '' && { password }) },
      });
      toast.ok(t('common:saved'));
      onSaved(saved);
    } catch {
      // shown at the fields
    }
  };
  return (
    <Modal
      opened
      onClose={onClose}
      dirty={Object.values(draft).join() !== Object.values(start).join() || password !== ''}
      size={640}
      title={profile === undefined ? t('mail:add') : t('mail:edit')}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" disabled={!ready} loading={save.isPending} onClick={submit}>
            {profile === undefined ? t('common:create') : t('common:save')}
          </Button>
        </>
      }
    >
      <div className={css.form}>
        <TextInput
          label={t('mail:name')}
          placeholder={t('mail:namePlaceholder')}
          required
          autoFocus={profile === undefined}
          maxLength={100}
          value={draft.name ?? ''}
          onChange={(name) => set({ name })}
          error={fault('name')}
        />
        <div className={own.pair}>
          <TextInput
            label={t('mail:host')}
            placeholder="smtp.example.com"
            required
            value={draft.host ?? ''}
            onChange={(host) => set({ host })}
            error={fault('host')}
          />
          <NumberInput
            label={t('mail:port')}
            value={draft.port ?? null}
            min={1}
            max={65535}
            onChange={(port) => set({ port: port ?? 0 })}
            error={fault('port')}
          />
        </div>
        <Select
          label={t('mail:security')}
          value={draft.security ?? 'starttls'}
          onChange={(value) => {
            const security = (value ?? 'starttls') as MailSecurity;
            const usual = Object.values(PORTS).includes(draft.port ?? 0);
            set({ security, ...(usual && { port: PORTS[security] }) });
          }}
          options={MAIL_SECURITY.map((each) => ({ value: each, label: t(`mail:securityOf.${each}`) }))}
          error={fault('security')}
        />
        <div className={own.pair}>
          <TextInput
            label={t('mail:username')}
            autoComplete="off"
            value={draft.username ?? ''}
            onChange={(username) => set({ username })}
            error={fault('username')}
          />
          <PasswordInput
            label={t('mail:password')}
            placeholder={profile?.has_password ? t('mail:passwordKept') : ''}
            autoComplete="new-password"
            toggleLabel={t('mail:passwordShow')}
            value={password}
            onChange={setPassword}
            error={fault('password')}
          />
        </div>
        <div className={own.pair}>
          <TextInput
            label={t('mail:fromAddress')}
            type="email"
            placeholder="crm@example.com"
            required
            value={draft.from_address ?? ''}
            onChange={(from_address) => set({ from_address })}
            error={fault('from_address')}
          />
          <TextInput
            label={t('mail:fromName')}
            maxLength={100}
            value={draft.from_name ?? ''}
            onChange={(from_name) => set({ from_name })}
            error={fault('from_name')}
          />
        </div>
        <TextInput
          label={t('mail:replyTo')}
          description={t('mail:replyToHelp')}
          type="email"
          value={draft.reply_to ?? ''}
          onChange={(reply_to) => set({ reply_to })}
          error={fault('reply_to')}
        />
        <div className={own.pair}>
          <NumberInput
            label={t('mail:perMinute')}
            description={t('mail:noLimit')}
            value={draft.per_minute ?? 0}
            min={0}
            onChange={(value) => set({ per_minute: value ?? 0 })}
            error={fault('per_minute')}
          />
          <NumberInput
            label={t('mail:perHour')}
            description={t('mail:noLimit')}
            value={draft.per_hour ?? 0}
            min={0}
            onChange={(value) => set({ per_hour: value ?? 0 })}
            error={fault('per_hour')}
          />
        </div>
        <Switch
          label={t('mail:active')}
          description={t('mail:activeHelp')}
          checked={draft.active ?? true}
          onChange={(active) => set({ active })}
        />
        {profile !== undefined && (
          <Switch
            label={t('mail:standard')}
            description={t('mail:standardHelp')}
            checked={draft.standard ?? false}
            onChange={(standard) => set({ standard })}
          />
        )}
        {whole !== null && (
          <p className={css.bad} role="alert">
            {whole}
          </p>
        )}
      </div>
    </Modal>
  );
}
