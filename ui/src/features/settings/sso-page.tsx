import { IconCopy, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { isApiError, type Provider, providersQuery, securityQuery, useDropProvider, useSaveSecurity } from '@/api';
import { useTranslation } from '@/i18n';
import { copyText } from '@/lib/clipboard';
import { useCan } from '@/metadata';
import { Button, confirm, EmptyState, ErrorState, Panel, Pill, prose, SkeletonRows, Switch, Table, toast } from '@/ui';
import css from './settings.module.css';
import own from './sso.module.css';
import { SsoForm } from './sso-form';

/** An address to be entered at the provider. */
function Address({ label, value }: { label: string; value: string }) {
  const { t } = useTranslation('common');
  const copy = async () => {
    if (await copyText(value)) toast.ok(t('common:copied'));
  };
  return (
    <div className={css.setting}>
      <span className={prose.lines}>
        <span>{label}</span>
        <code className={own.address}>{value}</code>
      </span>
      <Button icon={<IconCopy size={15} />} onClick={copy} aria-label={`${t('common:copy')} ${label}`}>
        {t('common:copy')}
      </Button>
    </div>
  );
}

/** People of the workspace, administrators apart, sign in through a provider alone. */
function Only({ able }: { able: boolean }) {
  const { t } = useTranslation(['sso', 'common']);
  const { data } = useQuery(securityQuery());
  const save = useSaveSecurity();
  if (data === undefined) return null;
  const change = async (only: boolean) => {
    if (only) {
      const sure = await confirm({
        title: t('sso:only.title'),
        text: t('sso:only.text'),
        confirm: t('sso:only.do'),
        danger: true,
      });
      if (!sure) return;
    }
    try {
      await save.mutateAsync({ provider_only: only });
      toast.ok(t('common:saved'));
    } catch (error) {
      const told = isApiError(error) ? (error.at('provider_only') ?? error.message) : String(error);
      toast.error(t('common:failed.save'), { detail: told });
    }
  };
  return (
    <Panel title={t('sso:only.panel')}>
      <Switch
        label={t('sso:only.label')}
        description={t('sso:only.help')}
        checked={data.provider_only}
        disabled={save.isPending || (!able && !data.provider_only)}
        onChange={(only) => void change(only)}
      />
    </Panel>
  );
}

/** Providers of identities: who vouches for people, and what its word is worth. */
export function SsoPage() {
  const { t } = useTranslation(['sso', 'common']);
  const allowed = useCan()('user.manage');
  const [form, setForm] = useState<Provider | 'new' | null>(null);
  const { data, error, isPending, refetch } = useQuery({ ...providersQuery(), enabled: allowed });
  const drop = useDropProvider();
  if (!allowed) return <EmptyState cause="no_permission" />;
  const items = data?.items ?? [];
  const add = (
    <Button kind="primary" icon={<IconPlus size={15} />} onClick={() => setForm('new')}>
      {t('sso:add')}
    </Button>
  );
  const remove = async (provider: Provider) => {
    const sure = await confirm({
      title: t('sso:remove.title', { name: provider.name }),
      text: t('sso:remove.text'),
      confirm: t('sso:remove.do'),
      danger: true,
    });
    if (!sure) return;
    try {
      await drop.mutateAsync(provider.id);
      setForm(null);
      toast.ok(t('sso:remove.done'));
    } catch (failed) {
      toast.error(failed instanceof Error ? failed.message : String(failed));
    }
  };
  return (
    <div className="stack">
      <Panel flush title={t('sso:title')} aside={items.length > 0 && add}>
        {isPending && <SkeletonRows rows={2} />}
        {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
        {data !== undefined && (
          <Table<Provider>
            label={t('sso:title')}
            rows={items}
            rowKey={(provider) => provider.id}
            onRowClick={setForm}
            empty={<EmptyState compact cause="none" title={t('sso:none')} text={t('sso:noneText')} actions={add} />}
            columns={[
              {
                key: 'name',
                label: t('sso:name'),
                cell: (provider) => (
                  <span className={prose.lines}>
                    <button type="button" className={prose.link} onClick={() => setForm(provider)}>
                      {provider.name}
                    </button>
                    <span className="muted truncate">{provider.issuer}</span>
                  </span>
                ),
              },
              {
                key: 'people',
                label: t('sso:people'),
                minor: true,
                cell: (provider) => t(provider.create ? 'sso:peopleNew' : 'sso:peopleKnown'),
              },
              {
                key: 'state',
                label: t('sso:state'),
                cell: (provider) => (
                  <Pill color={provider.enabled ? 'green' : 'gray'}>{t(provider.enabled ? 'sso:on' : 'sso:off')}</Pill>
                ),
              },
            ]}
          />
        )}
      </Panel>
      {data !== undefined && (
        <Panel title={t('sso:tell.title')}>
          <div className={css.settings}>
            <p className="muted">{t('sso:tell.text')}</p>
            <Address label={t('sso:tell.redirect')} value={data.redirect} />
            {items.map((provider) => (
              <Address
                key={provider.id}
                label={t('sso:tell.logout', { name: provider.name })}
                value={data.logout.replace('{id}', provider.id)}
              />
            ))}
          </div>
        </Panel>
      )}
      {data !== undefined && <Only able={items.some((provider) => provider.enabled)} />}
      {form !== null && (
        <SsoForm
          key={form === 'new' ? 'new' : form.id}
          {...(form !== 'new' && { provider: form, onRemove: () => void remove(form) })}
          onClose={() => setForm(null)}
        />
      )}
    </div>
  );
}
