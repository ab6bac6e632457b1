import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type ChannelAccount, channelsQuery, isApiError, useReleaseNumber } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, EmptyState, ErrorState, Panel, Pill, prose, SkeletonRows, Table, TextInput, toast } from '@/ui';
import { ChannelDrawer } from './channel-drawer';
import { ChannelForm } from './channel-form';
import { ChannelHealth } from './channel-health';
import own from './mail.module.css';

/** The companies that deliver text messages. */
export function ChannelsPage() {
  const { t } = useTranslation('channels');
  const fmt = useFormat();
  const allowed = useCan()('mail.manage');
  const [form, setForm] = useState<ChannelAccount | 'new' | null>(null);
  const [shown, setShown] = useState<string | null>(null);
  const { data, error, isPending, refetch } = useQuery({ ...channelsQuery(), enabled: allowed });
  if (!allowed) return <EmptyState cause="no_permission" />;
  const add = (
    <Button kind="primary" icon={<IconPlus size={15} />} onClick={() => setForm('new')}>
      {t('channels:add')}
    </Button>
  );
  const opened = data?.items.find((each) => each.id === shown);
  return (
    <div className="stack">
      <Panel flush title={t('channels:title')} aside={data !== undefined && data.items.length > 0 ? add : undefined}>
        {isPending && <SkeletonRows rows={2} />}
        {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
        {data !== undefined && (
          <Table<ChannelAccount>
            label={t('channels:title')}
            rows={data.items}
            rowKey={(account) => account.id}
            onRowClick={(account) => setShown(account.id)}
            empty={
              <EmptyState compact cause="none" title={t('channels:none')} text={t('channels:noneText')} actions={add} />
            }
            columns={[
              {
                key: 'name',
                label: t('channels:name'),
                cell: (account) => (
                  <span className={prose.lines}>
                    <button type="button" className={prose.link} onClick={() => setShown(account.id)}>
                      {account.name}
                    </button>
                    <span className="muted">
                      {t(`channels:providers.${account.channel === 'webhook' ? 'webhook' : account.provider}`)}
                    </span>
                  </span>
                ),
              },
              { key: 'sign', label: t('channels:sign'), minor: true, cell: (account) => account.sign },
              {
                key: 'used',
                label: t('channels:lastSuccess'),
                minor: true,
                cell: (account) => (
                  <span className="muted">
                    {account.last_success_at === null ? '\u2013' : fmt.relative(account.last_success_at)}
                  </span>
                ),
              },
              {
                key: 'state',
                label: t('channels:stateLabel'),
                cell: (account) => (
                  <>
                    <ChannelHealth account={account} />
                    {account.id === data.items.find((each) => each.active && each.channel === account.channel)?.id && (
                      <Pill color="blue">{t('channels:standard')}</Pill>
                    )}
                  </>
                ),
              },
            ]}
          />
        )}
      </Panel>
      {data?.items.some((each) => each.channel === 'sms') && <Numbers />}
      {opened !== undefined && (
        <ChannelDrawer
          account={opened}
          onClose={() => setShown(null)}
          onEdit={() => {
            setShown(null);
            setForm(opened);
          }}
        />
      )}
      {form !== null && (
        <ChannelForm
          {...(form !== 'new' && { account: form })}
          onClose={() => setForm(null)}
          onSaved={(account) => {
            setForm(null);
            setShown(account.id);
          }}
        />
      )}
    </div>
  );
}

/** Lets messages go to a number again; which numbers are remembered nobody can read. */
function Numbers() {
  const { t } = useTranslation('channels');
  const [number, setNumber] = useState('');
  const release = useReleaseNumber();
  const submit = () =>
    release.mutate(number.trim(), {
      onSuccess: ({ released }) => {
        toast.ok(t(released ? 'channels:numbers.released' : 'channels:numbers.notThere'));
        setNumber('');
      },
    });
  return (
    <Panel title={t('channels:numbers.title')}>
      <div className="stack">
        <p className="muted">{t('channels:numbers.text')}</p>
        <form
          className={own.site}
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
        >
          <TextInput
            label={t('channels:numbers.number')}
            type="tel"
            value={number}
            onChange={setNumber}
            error={isApiError(release.error) ? (release.error.at('number') ?? release.error.message) : undefined}
          />
          <Button type="submit" loading={release.isPending} disabled={number.trim() === ''}>
            {t('channels:numbers.release')}
          </Button>
        </form>
      </div>
    </Panel>
  );
}
