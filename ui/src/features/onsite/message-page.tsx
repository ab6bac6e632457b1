import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { faultsOf, type OnsiteMessage, type OnsiteStatus, onsiteMessageQuery, useSaveOnsite } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan, useSession } from '@/metadata';
import { BackLink, Button, Closed, confirm, Dot, ErrorState, Page, SkeletonRows, toast } from '@/ui';
import { Figure, Figures, Stack } from '@/ui/figures';
import { emptyPlan, type Locale, OnsiteForm } from './onsite-form';
import { STATUS_HUE } from './onsite-page';

const useBack = () => {
  const { t } = useTranslation('onsite');
  return <BackLink to="/onsite" label={t('onsite:title')} />;
};

function Came({ message }: { message: OnsiteMessage }) {
  const { t } = useTranslation('onsite');
  const fmt = useFormat();
  const times = (count: number) => t('onsite:times', { count });
  return (
    <Figures>
      <Figure
        name={t('onsite:viewers')}
        means={t('onsite:means.viewers')}
        value={fmt.number(message.viewers)}
        note={times(message.viewed)}
      />
      <Figure
        name={t('onsite:clickers')}
        means={t('onsite:means.clickers')}
        value={fmt.number(message.clickers)}
        note={
          message.viewers > 0
            ? t('onsite:share', { share: fmt.percent(message.clickers / message.viewers, 1) })
            : times(message.clicked)
        }
      />
      <Figure name={t('onsite:dismissed')} means={t('onsite:means.dismissed')} value={fmt.number(message.dismissed)} />
    </Figures>
  );
}

function Editor({ message }: { message?: OnsiteMessage }) {
  const { t } = useTranslation(['onsite', 'common']);
  const can = useCan();
  const navigate = useNavigate();
  const own: Locale = useSession().user.locale === 'en' ? 'en' : 'zh-CN';
  const back = useBack();
  const [name, setName] = useState(message?.name ?? '');
  const [plan, setPlan] = useState(message?.plan ?? emptyPlan(own));
  const [locale, setLocale] = useState((message?.plan.locale ?? own) as Locale);
  const save = useSaveOnsite();
  const faults = faultsOf(save.error);
  const status = message?.status ?? 'draft';
  const may = can(status === 'active' ? 'campaign.send' : 'campaign.write');
  const dirty = message === undefined || name !== message.name || JSON.stringify(plan) !== JSON.stringify(message.plan);
  const put = (next?: OnsiteStatus) =>
    save.mutate(
      {
        ...(message !== undefined && { id: message.id }),
        version: message?.version ?? 0,
        name,
        plan,
        ...(next !== undefined && { status: next }),
      },
      {
        onSuccess: (saved) => {
          toast.ok(t(next === 'active' ? 'onsite:begun' : 'onsite:saved', { name: saved.name }));
          if (message === undefined) navigate({ to: '/onsite/$id', params: { id: saved.id }, replace: true });
        },
      },
    );
  const end = async () => {
    const sure = await confirm({ title: t('onsite:end'), text: t('onsite:endText'), confirm: t('onsite:end') });
    if (sure) put('ended');
  };
  return (
    <Page
      title={message?.name ?? t('onsite:newTitle')}
      back={back}
      actions={
        <>
          <Dot color={STATUS_HUE[status]}>{t(`onsite:statuses.${status}`)}</Dot>
          {message !== undefined && can('campaign.send') && status !== 'active' && (
            <Button loading={save.isPending} disabled={dirty} onClick={() => put('active')}>
              {t('onsite:begin')}
            </Button>
          )}
          {can('campaign.send') && status === 'active' && (
            <Button loading={save.isPending} onClick={end}>
              {t('onsite:end')}
            </Button>
          )}
          {may && (
            <Button kind="primary" loading={save.isPending} disabled={!dirty} onClick={() => put()}>
              {t('common:save')}
            </Button>
          )}
        </>
      }
    >
      <Stack>
        {message !== undefined && status !== 'draft' && <Came message={message} />}
        <OnsiteForm
          name={name}
          plan={plan}
          locale={locale}
          onLocale={setLocale}
          onName={setName}
          onPlan={(change) => setPlan({ ...plan, ...change })}
          faults={faults}
          disabled={!may}
        />
        {faults.rest !== null && <p role="alert">{faults.rest}</p>}
      </Stack>
    </Page>
  );
}

/** One pop-up or banner. */
export function OnsiteMessagePage() {
  const { t } = useTranslation('onsite');
  const { id } = useParams({ strict: false }) as { id: string };
  const can = useCan();
  const fresh = id === 'new';
  const back = useBack();
  const { data, error, refetch } = useQuery({ ...onsiteMessageQuery(id), enabled: !fresh && can('campaign.read') });
  if (!can(fresh ? 'campaign.write' : 'campaign.read'))
    return (
      <Page title={t('onsite:title')} back={back}>
        <Closed cause="no_permission" />
      </Page>
    );
  if (fresh) return <Editor key="new" />;
  if (data === undefined)
    return (
      <Page title={t('onsite:title')} back={back}>
        {error === null ? <SkeletonRows rows={8} /> : <ErrorState error={error} onRetry={() => refetch()} />}
      </Page>
    );
  return <Editor key={`${data.id}:${data.version}`} message={data} />;
}
