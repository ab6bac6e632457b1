import { useState } from 'react';
import {
  type ChannelAccount,
  type ChannelInput,
  type ChannelKind,
  isApiError,
  TEXT_PROVIDERS,
  useSaveChannel,
} from '@/api';
import { useTranslation } from '@/i18n';
import { useMinor } from '@/metadata';
import { Button, Modal, NumberInput, PasswordInput, Select, Switch, TextInput, toast } from '@/ui';
import own from './mail.module.css';
import css from './settings.module.css';

/** Prices of text messages are told in thousandths of the smallest coin. */
const FINE = 1000;
const FINE_DIGITS = 3;

interface Props {
  /** Undefined for a new account. */
  account?: ChannelAccount;
  onClose: () => void;
  onSaved: (account: ChannelAccount) => void;
}

/** Everything about an account that a person sets. */
export function ChannelForm({ account, onClose, onSaved }: Props) {
  const { t } = useTranslation(['channels', 'common']);
  const minor = useMinor();
  const unit = 10 ** minor.digits * FINE;
  const [provider, setProvider] = useState<ChannelKind>(
    account?.channel === 'webhook' ? 'webhook' : (account?.provider ?? 'aliyun'),
  );
  const [start] = useState<ChannelInput>(() => ({
    name: account?.name ?? '',
    endpoint: account?.endpoint ?? '',
    key: account?.key ?? '',
    app: account?.app ?? '',
    region: account?.region ?? '',
    sign: account?.sign ?? '',
    out: account?.out ?? '',
    price: account?.price ?? 0,
    active: account?.active ?? true,
  }));
  const [draft, setDraft] = useState(start);
  const [secret, setSecret] = useState('');
  const save = useSaveChannel();
  const set = (change: ChannelInput) => setDraft((old) => ({ ...old, ...change }));
  const fault = (field: string) => (isApiError(save.error) ? save.error.at(field) : undefined);
  const whole = isApiError(save.error) && save.error.fields.length === 0 ? save.error.message : null;
  const coded = provider !== 'http' && provider !== 'webhook';
  const text = provider !== 'webhook';
  const submit = async () => {
    if (save.isPending) return;
    try {
      const saved = await save.mutateAsync({
        ...(account !== undefined && { account }),
        kind: provider,
        change: { ...draft, ...(secret !== '' && { secret }) },
      });
      toast.ok(t('common:saved'));
      onSaved(saved);
    } catch {
      // shown at the fields
    }
  };
  const input = (field: 'name' | 'endpoint' | 'key' | 'app' | 'region' | 'sign' | 'out', more: object = {}) => (
    <TextInput
      label={t(`channels:${field}`)}
      value={draft[field] ?? ''}
      onChange={(value) => set({ [field]: value })}
      error={fault(field)}
      {...more}
    />
  );
  return (
    <Modal
      opened
      onClose={onClose}
      dirty={Object.values(draft).join() !== Object.values(start).join() || secret !== ''}
      size={640}
      title={account === undefined ? t('channels:add') : t('channels:edit')}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" disabled={draft.name?.trim() === ''} loading={save.isPending} onClick={submit}>
            {account === undefined ? t('common:create') : t('common:save')}
          </Button>
        </>
      }
    >
      <div className={css.form}>
        <div className={own.pair}>
          <Select
            label={t('channels:provider')}
            disabled={account !== undefined}
            value={provider}
            onChange={(value) => setProvider((value ?? 'aliyun') as ChannelKind)}
            options={([...TEXT_PROVIDERS, 'webhook'] as const).map((each) => ({
              value: each,
              label: t(`channels:providers.${each}`),
            }))}
          />
          {input('name', { required: true, maxLength: 100 })}
        </div>
        {!coded &&
          input('endpoint', {
            required: true,
            type: 'url',
            description: t(text ? 'channels:endpointHelp' : 'channels:receiverHelp'),
          })}
        <div className={own.pair}>
          {coded && input('key', { required: true, autoComplete: 'off' })}
          <PasswordInput
            label={t(coded ? 'channels:secret' : 'channels:signingSecret')}
            placeholder={account?.has_secret ? t('channels:secretKept') : ''}
            autoComplete="new-password"
            toggleLabel={t('channels:secretShow')}
            value={secret}
            onChange={setSecret}
            error={fault('secret')}
          />
        </div>
        {provider === 'tencent' && (
          <div className={own.pair}>
            {input('app', { required: true })}
            {input('region', { placeholder: 'ap-guangzhou' })}
          </div>
        )}
        {text && (
          <div className={own.pair}>
            {input('sign', { required: true, maxLength: 22, description: t('channels:signHelp') })}
            {input('out', {
              maxLength: 20,
              placeholder: t('channels:outStandard'),
              description: t('channels:outHelp'),
            })}
          </div>
        )}
        <NumberInput
          label={t('channels:price')}
          description={t(text ? 'channels:priceHelp' : 'channels:priceCall')}
          min={0}
          decimals={minor.digits + FINE_DIGITS}
          value={(draft.price ?? 0) / unit}
          onChange={(value) => set({ price: Math.round((value ?? 0) * unit) })}
          error={fault('price')}
        />
        {coded && (
          <details open={draft.endpoint !== ''}>
            <summary>{t('channels:more')}</summary>
            {input('endpoint', { type: 'url', description: t('channels:endpointCoded') })}
          </details>
        )}
        <Switch
          label={t('channels:active')}
          description={t('channels:activeHelp')}
          checked={draft.active ?? true}
          onChange={(active) => set({ active })}
        />
        {whole !== null && (
          <p className={css.bad} role="alert">
            {whole}
          </p>
        )}
      </div>
    </Modal>
  );
}
