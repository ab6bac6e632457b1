import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type CampaignVariant, channelNamesQuery, usersQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { NumberInput, Select, Textarea, TextInput } from '@/ui';
import type { PartProps } from './campaign-when';
import css from './campaigns.module.css';

/** Through which account text messages go, or who hears the calls. */
export function Account({ plan, set, at, disabled, channel }: PartProps) {
  const { t } = useTranslation('campaigns');
  const can = useCan();
  const { data } = useQuery(channelNamesQuery());
  if (data === undefined) return null;
  const text = channel === 'sms';
  const list = data.items.filter((each) => each.channel === channel && each.active);
  if (list.length === 0)
    return (
      <p className={css.note} role="status">
        {t(text ? 'campaigns:noAccount' : 'campaigns:plain.noReceiver')}{' '}
        {can('mail.manage') && (
          <Link to="/settings/channels" className="link">
            {t('campaigns:toChannels')}
          </Link>
        )}
      </p>
    );
  return (
    <Select
      label={t(text ? 'campaigns:account' : 'campaigns:plain.receiver')}
      description={t(text ? 'campaigns:accountText' : 'campaigns:plain.receiverText')}
      disabled={disabled}
      value={plan.account ?? ''}
      onChange={(account) => set({ account: account ?? '' })}
      options={[
        { value: '', label: t('campaigns:accountFirst', { name: list[0]?.name }) },
        ...list.map((each) => ({
          value: each.id,
          label: each.sign === '' ? each.name : `${each.name} \u00b7 ${each.sign}`,
        })),
      ]}
      error={at('account')}
    />
  );
}

/** Who does the tasks, and until when. */
export function TaskFor({ plan, set, at, disabled }: PartProps) {
  const { t } = useTranslation('campaigns');
  const users = useQuery(usersQuery()).data?.items ?? [];
  return (
    <>
      <p className={css.note}>{t('campaigns:plain.taskText')}</p>
      <div className={css.line}>
        <Select
          label={t('campaigns:plain.owner')}
          clearable
          disabled={disabled}
          placeholder={t('campaigns:plain.ownerNone')}
          value={plan.owner ?? null}
          onChange={(owner) => set({ owner: owner ?? '' })}
          options={users.map((one) => ({ value: one.id, label: one.name }))}
          error={at('owner')}
        />
        <NumberInput
          label={t('campaigns:plain.due')}
          min={0}
          max={365}
          disabled={disabled}
          value={plan.due ?? 0}
          onChange={(due) => set({ due: due ?? 0 })}
          error={at('due')}
        />
      </div>
    </>
  );
}

interface WordsProps {
  variant: CampaignVariant;
  several: boolean;
  disabled: boolean;
  error: string | undefined;
  onChange: (next: Partial<CampaignVariant>) => void;
}
/** What a task or a webhook says. */
export function PlainWords({ variant, several, disabled, error, onChange }: WordsProps) {
  const { t } = useTranslation('campaigns');
  const named = (label: string) =>
    several ? `${t('campaigns:variant', { key: variant.key.toUpperCase() })} \u00b7 ${label}` : label;
  return (
    <div className={css.form}>
      <TextInput
        label={named(t('campaigns:plain.title'))}
        disabled={disabled}
        maxLength={200}
        value={variant.title ?? ''}
        onChange={(title) => onChange({ title })}
        error={error}
      />
      <Textarea
        label={named(t('campaigns:plain.text'))}
        description={t('campaigns:plain.help', { place: '{{ customer.name }}' })}
        disabled={disabled}
        value={variant.text ?? ''}
        onChange={(text) => onChange({ text })}
      />
    </div>
  );
}
