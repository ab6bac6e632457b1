import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import {
  consentPolicyQuery,
  FORM_STATES,
  type FormShown,
  type FormState,
  type FormSubmission,
  type FormTrace,
  formInputsQuery,
  formSubmissionsQuery,
} from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, Dot, EmptyState, ErrorState, Panel, prose, Select, SkeletonRows, Table } from '@/ui';
import { Stack, Toolbar } from '@/ui/figures';
import css from './forms.module.css';

const STATE_HUE = { taken: 'gray', waiting: 'amber', confirmed: 'green' } as const;

interface Ask {
  state?: string;
  code?: string;
}
interface Props {
  form: FormShown;
  state: FormState;
  code: string;
  /** Those of some months by people who came from somewhere, of a report. */
  trace: FormTrace | null;
  onAsk: (ask: Ask) => void;
}

/** What was sent, with what became of it, of the customers whom the reader may see. */
export function FormSent({ form, state, code, trace, onAsk }: Props) {
  const { t } = useTranslation(['forms', 'consent']);
  const fmt = useFormat();
  const label = useLabel();
  const can = useCan();
  const answer = useInfiniteQuery(formSubmissionsQuery(form.id, state, code, trace));
  const inputs = useQuery(formInputsQuery()).data?.items ?? [];
  const purposes = useQuery({ ...consentPolicyQuery(), enabled: can('consent.read') }).data?.purposes ?? [];
  const fields = (keys: readonly string[]) =>
    keys
      .map((key) => {
        const found = inputs.find((one) => one.key === key);
        return found === undefined ? key : label(found.label);
      })
      .join(t('forms:and'));
  const purpose = (key: string) => {
    const found = purposes.find((one) => one.key === key);
    return found === undefined ? key : label(found.label);
  };
  const ask = (change: Ask) => {
    const next = { state, code, ...change };
    onAsk({ ...(next.state && { state: next.state }), ...(next.code && { code: next.code }) });
  };
  const rows = answer.data?.pages.flatMap((page) => page.items) ?? [];
  const list = () => {
    if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} />;
    if (answer.data === undefined) return <SkeletonRows rows={6} />;
    if (rows.length === 0 && !answer.hasNextPage)
      return state === '' && code === '' && trace === null ? (
        <EmptyState cause="none" title={t('forms:noneSent')} text={t('forms:noneSentText')} />
      ) : (
        <EmptyState cause="no_match" />
      );
    return (
      <Panel flush>
        <Table<FormSubmission>
          label={t('forms:tabs.sent')}
          rows={rows}
          rowKey={(row) => row.id}
          columns={[
            {
              key: 'customer',
              label: t('forms:sent.customer'),
              cell: (row) => (
                <span className={prose.lines}>
                  <Link className={css.link} to="/o/$object/$id" params={{ object: 'customer', id: row.customer }}>
                    {row.name}
                  </Link>
                  <span className="muted">
                    {t(row.made ? 'forms:sent.made' : 'forms:sent.known')}
                    {row.several && t('forms:sent.several')}
                  </span>
                </span>
              ),
            },
            { key: 'at', label: t('forms:sent.at'), cell: (row) => fmt.datetime(row.at) },
            {
              key: 'state',
              label: t('forms:sent.state'),
              cell: (row) => (
                <span className={prose.lines}>
                  <Dot color={STATE_HUE[row.state]}>{t(`forms:states.${row.state}`)}</Dot>
                  {row.gift !== '' && <span className="muted">{t(`forms:gifts.${row.gift}`)}</span>}
                </span>
              ),
            },
            {
              key: 'wrote',
              label: t('forms:sent.wrote'),
              minor: true,
              cell: (row) => (
                <span className={prose.lines}>
                  {row.filled.length > 0 && <span>{fields(row.filled)}</span>}
                  {row.left.length > 0 && (
                    <span className="muted">{t('forms:sent.left', { fields: fields(row.left) })}</span>
                  )}
                </span>
              ),
            },
            {
              key: 'agreed',
              label: t('forms:sent.agreed'),
              minor: true,
              cell: (row) => (
                <span className={prose.lines}>
                  {row.agreements.map((one) => (
                    <span key={`${one.purpose}:${one.channel}`}>
                      {t('forms:sent.agreement', {
                        purpose: purpose(one.purpose),
                        channel: t(`consent:channel.${one.channel}`),
                        what: t(`forms:what.${one.what}`),
                      })}
                    </span>
                  ))}
                </span>
              ),
            },
            {
              key: 'from',
              label: t('forms:sent.from'),
              minor: true,
              cell: (row) => (
                <span className={prose.lines}>
                  <span>{form.plan.codes.find((one) => one.key === row.code)?.name ?? row.code}</span>
                  <span className="muted">
                    {[row.source, row.medium, row.campaign].filter(Boolean).join(' / ') || row.referrer}
                  </span>
                </span>
              ),
            },
          ]}
        />
        {answer.hasNextPage && (
          <div className={css.more}>
            <Button loading={answer.isFetchingNextPage} onClick={() => void answer.fetchNextPage()}>
              {t('forms:more')}
            </Button>
          </div>
        )}
      </Panel>
    );
  };
  return (
    <Stack>
      <Toolbar>
        <Select
          label={t('forms:sent.state')}
          value={state}
          onChange={(next) => ask({ state: next ?? '' })}
          options={FORM_STATES.map((one) => ({ value: one, label: t(`forms:filter.${one || 'all'}`) }))}
        />
        {form.plan.codes.length > 0 && (
          <Select
            label={t('forms:sent.from')}
            value={code}
            onChange={(next) => ask({ code: next ?? '' })}
            options={[
              { value: '', label: t('forms:filter.all') },
              ...form.plan.codes.map((one) => ({ value: one.key, label: one.name })),
            ]}
          />
        )}
      </Toolbar>
      {trace !== null && (
        <p>
          {t('forms:sent.traced', {
            ...trace,
            source: trace.source || t('forms:cost.plain'),
            campaign: trace.campaign || '\u2013',
          })}{' '}
          <Button onClick={() => ask({})}>{t('forms:sent.all')}</Button>
        </p>
      )}
      {list()}
      <p className="muted">{t('forms:sent.note')}</p>
    </Stack>
  );
}
