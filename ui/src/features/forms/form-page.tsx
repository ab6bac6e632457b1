import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { type FormShown, type FormState, type FormStatus, faultsOf, formQuery, useSaveForm } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan, useSession } from '@/metadata';
import { BackLink, Button, Closed, confirm, Dot, ErrorState, Page, SkeletonRows, Tabs, toast } from '@/ui';
import { Figure, Figures, Stack } from '@/ui/figures';
import { FormCodes } from './form-codes';
import { emptyPlan, FormEdit, type Locale } from './form-edit';
import { FormSent } from './form-sent';
import css from './forms.module.css';
import { STATUS_HUE } from './status';

interface Search {
  tab?: string;
  state?: string;
  code?: string;
  source?: string;
  campaign?: string;
  from?: string;
  to?: string;
}

const useBack = () => {
  const { t } = useTranslation('forms');
  return <BackLink to="/forms" label={t('forms:title')} />;
};

/** The figures of a form; each opens the list behind it. */
function Came({ form, onOpen }: { form: FormShown; onOpen: (state: FormState) => void }) {
  const { t } = useTranslation('forms');
  const fmt = useFormat();
  const { sums } = form;
  const share = (part: number, whole: number) =>
    whole > 0 ? t('forms:share', { share: fmt.percent(part / whole, 1) }) : t('forms:noShare');
  const opens = (state: FormState, value: number) =>
    value === 0 ? (
      fmt.number(value)
    ) : (
      <button type="button" className={css.opens} onClick={() => onOpen(state)}>
        {fmt.number(value)}
      </button>
    );
  return (
    <Figures>
      <Figure
        name={t('forms:sums.shown')}
        means={t('forms:means.shown')}
        value={fmt.number(sums.shown)}
        note={t('forms:shownNote')}
      />
      <Figure
        name={t('forms:sums.sent')}
        means={t('forms:means.sent')}
        value={opens('', sums.sent)}
        note={share(sums.sent, sums.shown)}
      />
      <Figure
        name={t('forms:sums.made')}
        means={t('forms:means.made')}
        value={opens('made', sums.made)}
        note={share(sums.made, sums.sent)}
      />
      <Figure
        name={t('forms:sums.confirmed')}
        means={t('forms:means.confirmed')}
        value={opens('confirmed', sums.confirmed)}
        note={t('forms:confirmedNote', { waiting: fmt.number(sums.waiting), gifts: fmt.number(sums.gifts) })}
      />
    </Figures>
  );
}

function Editor({ form }: { form?: FormShown }) {
  const { t } = useTranslation(['forms', 'common']);
  const can = useCan();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as Search;
  const own: Locale = useSession().user.locale === 'en' ? 'en' : 'zh-CN';
  const back = useBack();
  const [name, setName] = useState(form?.name ?? '');
  const [plan, setPlan] = useState(form?.plan ?? emptyPlan(own));
  const [locale, setLocale] = useState((form?.plan.locale ?? own) as Locale);
  const save = useSaveForm();
  const faults = faultsOf(save.error);
  const status = form?.status ?? 'draft';
  const may = can(status === 'active' ? 'campaign.send' : 'campaign.write');
  const dirty = form === undefined || name !== form.name || JSON.stringify(plan) !== JSON.stringify(form.plan);
  const tab = form === undefined ? 'edit' : (search.tab ?? (status === 'draft' ? 'edit' : 'sent'));
  const go = (next: Search) =>
    form !== undefined && navigate({ to: '/forms/$id', params: { id: form.id }, search: next, replace: true });
  const put = (next?: FormStatus) =>
    save.mutate(
      {
        ...(form !== undefined && { id: form.id }),
        version: form?.version ?? 0,
        name,
        plan,
        ...(next !== undefined && { status: next }),
      },
      {
        onSuccess: (saved) => {
          toast.ok(t(next === 'active' ? 'forms:begun' : 'forms:saved', { name: saved.name }));
          if (form === undefined || next === 'active')
            navigate({
              to: '/forms/$id',
              params: { id: saved.id },
              search: { tab: next === 'active' ? 'codes' : 'edit' },
              replace: true,
            });
        },
        onError: () => go({ tab: search.tab === 'codes' ? 'codes' : 'edit' }),
      },
    );
  const end = async () => {
    const sure = await confirm({
      title: t('forms:end'),
      text: t('forms:endText'),
      confirm: t('forms:end'),
      danger: true,
    });
    if (sure) put('ended');
  };
  const edit = (
    <FormEdit
      name={name}
      plan={plan}
      locale={locale}
      onLocale={setLocale}
      onName={setName}
      onPlan={(change) => setPlan({ ...plan, ...change })}
      faults={faults}
      disabled={!may}
    />
  );
  return (
    <Page
      title={form?.name ?? t('forms:add')}
      back={back}
      actions={
        <>
          <Dot color={STATUS_HUE[status]}>{t(`forms:statuses.${status}`)}</Dot>
          {form !== undefined && can('campaign.send') && status !== 'active' && (
            <Button loading={save.isPending} disabled={dirty} onClick={() => put('active')}>
              {t('forms:begin')}
            </Button>
          )}
          {can('campaign.send') && status === 'active' && (
            <Button loading={save.isPending} onClick={() => void end()}>
              {t('forms:end')}
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
        {faults.rest !== null && <p role="alert">{faults.rest}</p>}
        {form === undefined ? (
          edit
        ) : (
          <>
            <Came form={form} onOpen={(state) => go({ tab: 'sent', ...(state && { state }) })} />
            <Tabs
              label={t('forms:title')}
              value={tab}
              onChange={(next) => go({ tab: next })}
              items={[
                {
                  value: 'sent',
                  label: t('forms:tabs.sent'),
                  content: (
                    <FormSent
                      form={form}
                      state={(search.state ?? '') as FormState}
                      code={search.code ?? ''}
                      trace={
                        search.from === undefined || search.to === undefined
                          ? null
                          : {
                              source: search.source ?? '',
                              campaign: search.campaign ?? '',
                              from: search.from,
                              to: search.to,
                            }
                      }
                      onAsk={(ask) => go({ tab: 'sent', ...ask })}
                    />
                  ),
                },
                {
                  value: 'codes',
                  label: t('forms:tabs.codes'),
                  content: (
                    <FormCodes
                      form={form}
                      codes={plan.codes}
                      onCodes={(codes) => setPlan({ ...plan, codes })}
                      onOpen={(code) => go({ tab: 'sent', code })}
                      faults={faults}
                      disabled={!may}
                    />
                  ),
                },
                { value: 'edit', label: t('forms:tabs.edit'), content: edit },
              ]}
            />
          </>
        )}
      </Stack>
    </Page>
  );
}

/** One form: what it asks, how people come to it, and what they sent. */
export function FormPage() {
  const { t } = useTranslation('forms');
  const { id } = useParams({ strict: false }) as { id: string };
  const can = useCan();
  const fresh = id === 'new';
  const back = useBack();
  const { data, error, refetch } = useQuery({ ...formQuery(id), enabled: !fresh && can('campaign.read') });
  if (!can(fresh ? 'campaign.write' : 'campaign.read'))
    return (
      <Page title={t('forms:title')} back={back}>
        <Closed cause="no_permission" />
      </Page>
    );
  if (fresh) return <Editor key="new" />;
  if (data === undefined)
    return (
      <Page title={t('forms:title')} back={back}>
        {error === null ? <SkeletonRows rows={8} /> : <ErrorState error={error} onRetry={() => refetch()} />}
      </Page>
    );
  return <Editor key={`${data.id}:${data.version}`} form={data} />;
}
