import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { isApiError, type MailProfile, mailProfilesQuery, mailStateQuery, useSaveMailAddress } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, EmptyState, ErrorState, Panel, Pill, prose, SkeletonRows, Table, TextInput, toast } from '@/ui';
import own from './mail.module.css';
import { MailDrawer } from './mail-drawer';
import { MailForm } from './mail-form';
import { MailLog } from './mail-log';
import css from './settings.module.css';

/** Mail servers, the address that links lead to, and what was sent. */
export function MailPage() {
  const { t } = useTranslation('mail');
  const can = useCan();
  const allowed = can('mail.manage');
  const [form, setForm] = useState<MailProfile | 'new' | null>(null);
  const [shown, setShown] = useState<string | null>(null);
  const { data, error, isPending, refetch } = useQuery({ ...mailProfilesQuery(), enabled: allowed });
  if (!allowed) return <EmptyState cause="no_permission" />;
  const add = (
    <Button kind="primary" icon={<IconPlus size={15} />} onClick={() => setForm('new')}>
      {t('mail:add')}
    </Button>
  );
  const opened = data?.items.find((each) => each.id === shown);
  return (
    <div className="stack">
      <Panel flush title={t('mail:servers')} aside={data !== undefined && data.items.length > 0 ? add : undefined}>
        {isPending && <SkeletonRows rows={2} />}
        {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
        {data !== undefined && (
          <Table<MailProfile>
            label={t('mail:servers')}
            rows={data.items}
            rowKey={(profile) => profile.id}
            onRowClick={(profile) => setShown(profile.id)}
            empty={<EmptyState compact cause="none" title={t('mail:none')} text={t('mail:noneText')} actions={add} />}
            columns={[
              {
                key: 'name',
                label: t('mail:name'),
                cell: (profile) => (
                  <span className={prose.lines}>
                    <button type="button" className={prose.link} onClick={() => setShown(profile.id)}>
                      {profile.name}
                    </button>
                    <span className={`${own.host} muted`}>
                      {profile.host}:{profile.port}
                    </span>
                  </span>
                ),
              },
              {
                key: 'from',
                label: t('mail:from'),
                minor: true,
                cell: (profile) => <span className="muted">{profile.from_address}</span>,
              },
              { key: 'state', label: t('mail:stateLabel'), cell: (profile) => <ProfileHealth profile={profile} /> },
            ]}
          />
        )}
      </Panel>
      <SiteAddress />
      <MailLog counts={data?.counts ?? {}} />
      {opened !== undefined && (
        <MailDrawer
          profile={opened}
          onClose={() => setShown(null)}
          onEdit={() => {
            setShown(null);
            setForm(opened);
          }}
        />
      )}
      {form !== null && (
        <MailForm
          {...(form !== 'new' && { profile: form })}
          onClose={() => setForm(null)}
          onSaved={(profile) => {
            setForm(null);
            setShown(profile.id);
          }}
        />
      )}
    </div>
  );
}

export function ProfileHealth({ profile }: { profile: MailProfile }) {
  const { t } = useTranslation('mail');
  const fmt = useFormat();
  const state = () => {
    if (!profile.active) return <Pill color="gray">{t('mail:state.off')}</Pill>;
    if (profile.failing_since !== null) return <Pill color="red">{t('mail:state.failing')}</Pill>;
    if (profile.last_success_at !== null)
      return (
        <>
          <Pill color="green">{t('mail:state.works')}</Pill>
          <span className="muted">{fmt.relative(profile.last_success_at)}</span>
        </>
      );
    return <Pill color="gray">{t('mail:state.untried')}</Pill>;
  };
  return (
    <span className={css.pills}>
      {profile.standard && <Pill color="blue">{t('mail:standard')}</Pill>}
      {state()}
    </span>
  );
}

function SiteAddress() {
  const { t } = useTranslation(['mail', 'common']);
  const { data } = useQuery(mailStateQuery());
  return data === undefined ? null : <AddressForm key={data.address} address={data.address} t={t} />;
}

function AddressForm({ address, t }: { address: string; t: (key: string) => string }) {
  const here = location.origin;
  const [value, setValue] = useState(address === '' ? here : address);
  const save = useSaveMailAddress();
  const submit = async () => {
    try {
      await save.mutateAsync(value.trim());
      toast.ok(t('common:saved'));
    } catch (failure) {
      if (!isApiError(failure) || failure.at('address') === undefined)
        toast.error(failure instanceof Error ? failure.message : String(failure));
    }
  };
  return (
    <Panel title={t('mail:site.title')}>
      <form
        className={own.site}
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <TextInput
          label={t('mail:site.label')}
          description={t('mail:site.help')}
          type="url"
          placeholder="https://crm.example.com"
          value={value}
          onChange={setValue}
          error={isApiError(save.error) ? save.error.at('address') : undefined}
        />
        <Button type="submit" kind="primary" loading={save.isPending} disabled={value.trim() === address}>
          {t('common:save')}
        </Button>
      </form>
      {address === '' && (
        <p className={css.warnBox} role="status">
          {t('mail:site.missing')}
        </p>
      )}
    </Panel>
  );
}
