import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import {
  errorText,
  isApiError,
  MAIL_CHANNELS,
  type MailChannel,
  type MailPreferences,
  mailPreferencesQuery,
  mailStateQuery,
  NOTICE_KINDS,
  noticePreferencesQuery,
  setMailPreferences,
} from '@/api';
import { useTranslation } from '@/i18n';
import { Button, Panel, Select, SkeletonRows, Switch, TextInput, toast } from '@/ui';
import css from './notifications.module.css';

/** When each kind of notification comes by mail, and when mails rest. Not there while no mail can be sent. */
export function MailChoice() {
  const { t } = useTranslation(['links', 'work', 'common', 'mine']);
  const client = useQueryClient();
  const query = mailPreferencesQuery();
  const reachable = useQuery(mailStateQuery()).data?.reachable === true;
  const { data } = useQuery({ ...query, enabled: reachable });
  const on = useQuery(noticePreferencesQuery()).data?.kinds;
  if (!reachable) return null;
  if (data === undefined) return <SkeletonRows rows={6} />;
  const set = async (change: Partial<MailPreferences>) => {
    client.setQueryData(query.queryKey, { ...data, ...change, kinds: { ...data.kinds, ...change.kinds } });
    try {
      client.setQueryData(query.queryKey, await setMailPreferences(change));
    } catch (error) {
      client.setQueryData(query.queryKey, data);
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    }
  };
  return (
    <Panel title={t('links:choice.title')}>
      <div className={css.kinds}>
        {NOTICE_KINDS.map((kind) => (
          <Select
            key={kind}
            label={t(`mine:notice.kind.${kind}`)}
            disabled={on?.[kind] === false}
            value={on?.[kind] === false ? 'never' : (data.kinds[kind] ?? 'never')}
            onChange={(value) => void set({ kinds: { [kind]: (value ?? 'never') as MailChannel } })}
            options={MAIL_CHANNELS.map((each) => ({ value: each, label: t(`links:choice.${each}`) }))}
          />
        ))}
        <Quiet key={`${data.from}${data.to}${data.quiet}`} data={data} onSave={set} />
      </div>
    </Panel>
  );
}

function Quiet({
  data,
  onSave,
}: {
  data: MailPreferences;
  onSave: (change: Partial<MailPreferences>) => Promise<void>;
}) {
  const { t } = useTranslation(['links', 'common']);
  const [from, setFrom] = useState(data.from);
  const [to, setTo] = useState(data.to);
  const [fault, setFault] = useState<string | null>(null);
  const save = async (quiet: boolean) => {
    setFault(null);
    try {
      await onSave({ quiet, from, to });
    } catch (error) {
      setFault(isApiError(error) ? error.message : String(error));
    }
  };
  return (
    <>
      <Switch
        label={t('links:choice.quiet')}
        description={t('links:choice.quietHelp')}
        checked={data.quiet}
        onChange={(quiet) => void save(quiet)}
      />
      {data.quiet && (
        <div className={css.quiet}>
          <TextInput label={t('links:choice.from')} type="time" value={from} onChange={setFrom} />
          <TextInput label={t('links:choice.to')} type="time" value={to} onChange={setTo} error={fault} />
          <Button disabled={from === data.from && to === data.to} onClick={() => void save(true)}>
            {t('common:save')}
          </Button>
        </div>
      )}
    </>
  );
}
