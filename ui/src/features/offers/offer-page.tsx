import { IconPlus } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import {
  errorText,
  faultsOf,
  type OfferEntry,
  type OfferResult,
  type OfferShown,
  type OfferStatus,
  offerCodesQuery,
  offerLedgerQuery,
  offerQuery,
  useSaveOffer,
} from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan, useMinor } from '@/metadata';
import { Coupons } from '@/records/offers/coupons';
import {
  BackLink,
  Button,
  Closed,
  confirm,
  Dot,
  EmptyState,
  ErrorState,
  Page,
  Panel,
  SkeletonRows,
  Table,
  Tabs,
  toast,
} from '@/ui';
import { Figure, Figures, Stack } from '@/ui/figures';
import { IssueDialog } from './issue-dialog';
import { emptyRule, OfferForm } from './offer-form';
import css from './offers.module.css';
import { STATUS_HUE, useGives, useSpan } from './words';

const useBack = () => {
  const { t } = useTranslation('offers');
  return <BackLink to="/offers" label={t('offers:title')} />;
};

function Came({ result }: { result: OfferResult }) {
  const { t } = useTranslation('offers');
  const fmt = useFormat();
  const minor = useMinor();
  const gives = useGives();
  const span = useSpan();
  const { offer } = result;
  const of = (most: string) => t('offers:of', { most });
  return (
    <Stack>
      <Figures>
        <Figure
          name={t('offers:came.codes')}
          means={t('offers:means.codes')}
          value={fmt.number(result.codes)}
          note={t('offers:came.reserved', { count: result.reserved })}
        />
        <Figure
          name={t('offers:came.redeemed')}
          means={t('offers:means.redeemed')}
          value={fmt.number(result.redeemed)}
          note={
            offer.rule.total > 0
              ? of(fmt.number(offer.rule.total))
              : t('offers:came.customers', { count: result.customers })
          }
        />
        <Figure
          name={t('offers:came.discount')}
          means={t('offers:means.discount')}
          value={fmt.money(result.discount)}
          note={offer.rule.budget > 0 ? of(minor.text(offer.rule.budget)) : t('offers:came.noBudget')}
        />
        <Figure
          name={t('offers:came.goods')}
          means={t('offers:means.goods')}
          value={fmt.money(result.goods)}
          note={t('offers:came.refunded', { count: result.refunded })}
        />
      </Figures>
      <Panel title={t('offers:came.rule')}>
        <p>
          {gives(offer.rule)} {'\u00b7'} {span(offer.rule)}
        </p>
        <p className="muted">
          {t('offers:came.gone', { released: result.released, expired: result.expired })} {t('offers:came.caution')}
        </p>
      </Panel>
    </Stack>
  );
}

function Codes({ offer }: { offer: OfferShown }) {
  const { t } = useTranslation('offers');
  const answer = useInfiniteQuery(offerCodesQuery(offer.id));
  const [issuing, setIssuing] = useState(false);
  const rows = answer.data?.pages.flatMap((page) => page.items) ?? [];
  const add = (
    <Button kind="primary" icon={<IconPlus size={15} />} onClick={() => setIssuing(true)}>
      {t('offers:issue.title')}
    </Button>
  );
  return (
    <>
      {answer.isError && <ErrorState error={answer.error} onRetry={() => answer.refetch()} />}
      {answer.data === undefined && !answer.isError && <SkeletonRows rows={6} />}
      {answer.data !== undefined && rows.length === 0 && (
        <EmptyState cause="none" title={t('offers:noCodes')} text={t('offers:noCodesText')} actions={add} />
      )}
      {rows.length > 0 && (
        <Panel flush title={t('offers:codes')} aside={add}>
          <Coupons
            rows={rows}
            between={{
              key: 'customer',
              label: t('offers:code.customer'),
              cell: (row) =>
                row.customer === null ? (
                  <span className="muted">{t(row.bound ? 'offers:code.hidden' : 'offers:code.anybody')}</span>
                ) : (
                  <Link to="/o/$object/$id" params={{ object: 'customer', id: row.customer.id }}>
                    {row.customer.title}
                  </Link>
                ),
            }}
          />
          {answer.hasNextPage && (
            <div className={css.more}>
              <Button loading={answer.isFetchingNextPage} onClick={() => void answer.fetchNextPage()}>
                {t('offers:more')}
              </Button>
            </div>
          )}
        </Panel>
      )}
      {issuing && <IssueDialog offer={offer.id} name={offer.name} onClose={() => setIssuing(false)} />}
    </>
  );
}

function Ledger({ id }: { id: string }) {
  const { t } = useTranslation('offers');
  const fmt = useFormat();
  const answer = useInfiniteQuery(offerLedgerQuery(id));
  if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} />;
  if (answer.data === undefined) return <SkeletonRows rows={6} />;
  const rows = answer.data.pages.flatMap((page) => page.items);
  if (rows.length === 0)
    return <EmptyState cause="none" title={t('offers:noLedger')} text={t('offers:noLedgerText')} />;
  return (
    <Panel flush title={t('offers:ledger')}>
      <Table<OfferEntry>
        label={t('offers:ledger')}
        rows={rows}
        rowKey={(row) => row.id}
        columns={[
          { key: 'at', label: t('offers:entry.at'), cell: (row) => fmt.datetime(row.at) },
          { key: 'kind', label: t('offers:entry.kind'), cell: (row) => t(`offers:entries.${row.kind}`) },
          { key: 'ref', label: t('offers:entry.ref'), minor: true, cell: (row) => row.ref },
          { key: 'amount', label: t('offers:entry.amount'), align: 'right', cell: (row) => fmt.money(row.amount) },
        ]}
      />
      {answer.hasNextPage && (
        <div className={css.more}>
          <Button loading={answer.isFetchingNextPage} onClick={() => void answer.fetchNextPage()}>
            {t('offers:more')}
          </Button>
        </div>
      )}
    </Panel>
  );
}

function Edit({ result }: { result?: OfferResult }) {
  const { t } = useTranslation(['offers', 'common']);
  const back = useBack();
  const can = useCan();
  const navigate = useNavigate();
  const offer = result?.offer;
  const [name, setName] = useState(offer?.name ?? '');
  const [rule, setRule] = useState(offer?.rule ?? emptyRule());
  const tab = (useSearch({ strict: false }) as { tab?: string }).tab ?? 'came';
  const save = useSaveOffer();
  const faults = faultsOf(save.error);
  const disabled = !can('offer.write') || offer?.status === 'ended';
  const dirty = offer === undefined || name !== offer.name || JSON.stringify(rule) !== JSON.stringify(offer.rule);
  const send = (status?: OfferStatus) =>
    save.mutate(
      {
        ...(offer !== undefined && { id: offer.id }),
        version: offer?.version ?? 0,
        name,
        rule,
        ...(status !== undefined && { status }),
      },
      {
        onSuccess: (got) => {
          toast.ok(
            t(status === undefined ? 'offers:saved' : `offers:turned.${status === 'ended' ? 'ended' : 'active'}`),
          );
          if (offer === undefined)
            navigate({ to: '/offers/$id', params: { id: got.id }, search: { tab: 'codes' }, replace: true });
        },
        onError: (error) => {
          if (faultsOf(error).rest === error.message) toast.error(errorText(error));
        },
      },
    );
  const end = async () => {
    const yes = await confirm({
      title: t('offers:end.ask', { name }),
      text: t('offers:end.text'),
      confirm: t('offers:end.do'),
      danger: true,
    });
    if (yes) send('ended');
  };
  const form = (
    <>
      {faults.rest !== null && <p role="alert">{faults.rest}</p>}
      <OfferForm
        name={name}
        rule={rule}
        onName={setName}
        onRule={(change) => setRule({ ...rule, ...change })}
        faults={faults}
        disabled={disabled}
      />
    </>
  );
  return (
    <Page
      title={offer?.name ?? t('offers:add')}
      back={back}
      actions={
        <>
          {offer !== undefined && <Dot color={STATUS_HUE[offer.status]}>{t(`offers:statuses.${offer.status}`)}</Dot>}
          {offer?.status === 'active' && !disabled && (
            <Button kind="subtle" onClick={() => void end()}>
              {t('offers:end.do')}
            </Button>
          )}
          {!disabled && (
            <Button disabled={!dirty} loading={save.isPending} onClick={() => send()}>
              {t('common:save')}
            </Button>
          )}
          {offer?.status === 'draft' && !disabled && (
            <Button kind="primary" loading={save.isPending} onClick={() => send('active')}>
              {t('offers:begin')}
            </Button>
          )}
        </>
      }
    >
      {result === undefined || offer === undefined ? (
        form
      ) : (
        <Tabs
          label={offer.name}
          value={tab}
          onChange={(next) =>
            navigate({ to: '/offers/$id', params: { id: offer.id }, search: { tab: next }, replace: true })
          }
          items={[
            { value: 'came', label: t('offers:tabs.came'), content: <Came result={result} /> },
            { value: 'rule', label: t('offers:tabs.rule'), content: form },
            ...(can('offer.write')
              ? [{ value: 'codes', label: t('offers:codes'), content: <Codes offer={offer} /> }]
              : []),
            { value: 'ledger', label: t('offers:ledger'), content: <Ledger id={offer.id} /> },
          ]}
        />
      )}
    </Page>
  );
}

/** One offer: what came of it, its rule, its codes and its ledger; or a new one. */
export function OfferPage() {
  const { t } = useTranslation('offers');
  const back = useBack();
  const { id } = useParams({ strict: false }) as { id: string };
  const can = useCan();
  const fresh = id === 'new';
  const { data, error, refetch } = useQuery({ ...offerQuery(id), enabled: !fresh && can('offer.read') });
  if (!can(fresh ? 'offer.write' : 'offer.read'))
    return (
      <Page title={t('offers:title')} back={back}>
        <Closed cause="no_permission" />
      </Page>
    );
  if (fresh) return <Edit key="new" />;
  if (data === undefined)
    return (
      <Page title={t('offers:title')} back={back}>
        {error === null ? <SkeletonRows rows={8} /> : <ErrorState error={error} onRetry={() => refetch()} />}
      </Page>
    );
  return <Edit key={`${data.offer.id} ${data.offer.version}`} result={data} />;
}
