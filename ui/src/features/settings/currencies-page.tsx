import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type ExchangeRate, type ExchangeRates, errorText, isApiError, ratesQuery, useSaveRates } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { dayInZone } from '@/lib/day';
import { useCan, useSession } from '@/metadata';
import {
  Button,
  DatePicker,
  EmptyState,
  ErrorState,
  IconButton,
  Panel,
  SkeletonRows,
  Table,
  TextInput,
  toast,
} from '@/ui';
import css from './currencies.module.css';
import { byCurrency } from './rates';

function Show({ state }: { state: ExchangeRates }) {
  const { t } = useTranslation('settings');
  const fmt = useFormat();
  return (
    <Table
      label={t('settings:currencies.rates')}
      rows={byCurrency(state.rates)}
      rowKey={(rate) => rate.currency + rate.from}
      empty={
        <EmptyState
          compact
          cause="none"
          title={t('settings:currencies.none')}
          text={t('settings:currencies.noneText')}
        />
      }
      columns={[
        { key: 'currency', label: t('settings:currencies.currency'), cell: (rate) => rate.currency },
        { key: 'from', label: t('settings:currencies.from'), cell: (rate) => fmt.date(rate.from) },
        {
          key: 'rate',
          label: t('settings:currencies.rate', { base: state.base }),
          align: 'right',
          cell: (rate) => rate.rate,
        },
      ]}
    />
  );
}

function Editor({ state }: { state: ExchangeRates }) {
  const { t } = useTranslation(['settings', 'common']);
  const save = useSaveRates();
  const [rows, setRows] = useState<ExchangeRate[]>(() => byCurrency(state.rates));
  const { workspace } = useSession();
  const fault = (at: number, member: string) =>
    isApiError(save.error) ? save.error.at(`rates.${at}.${member}`) : undefined;
  const change = (at: number, part: Partial<ExchangeRate>) =>
    setRows((old) => old.map((row, place) => (place === at ? { ...row, ...part } : row)));
  const add = () =>
    setRows((old) => [...old, { currency: '', from: dayInZone(new Date(), workspace.timezone), rate: '' }]);
  const same = JSON.stringify(rows) === JSON.stringify(byCurrency(state.rates));
  // Awaited here: the rates read anew put another editor in the place of this one, and callbacks of a call end with it.
  const submit = async () => {
    try {
      await save.mutateAsync(rows);
      toast.ok(t('settings:currencies.saved'));
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    }
  };
  return (
    <div className="stack">
      {rows.length === 0 && (
        <EmptyState
          compact
          cause="none"
          title={t('settings:currencies.none')}
          text={t('settings:currencies.noneText')}
        />
      )}
      {rows.length > 0 && (
        <ul className={css.rates} aria-label={t('settings:currencies.rates')}>
          {rows.map((row, at) => (
            <li key={at} className={css.rate}>
              <TextInput
                label={t('settings:currencies.currency')}
                value={row.currency}
                maxLength={3}
                placeholder="USD"
                error={fault(at, 'currency')}
                onChange={(currency) => change(at, { currency: currency.toUpperCase() })}
              />
              <DatePicker
                label={t('settings:currencies.from')}
                value={row.from === '' ? null : row.from}
                error={fault(at, 'from')}
                onChange={(from) => change(at, { from: from ?? '' })}
              />
              <TextInput
                label={t('settings:currencies.rateOf', { currency: row.currency || '\u2026', base: state.base })}
                value={row.rate}
                placeholder="7.12"
                error={fault(at, 'rate')}
                onChange={(rate) => change(at, { rate: rate.trim() })}
              />
              <IconButton
                label={t('settings:currencies.remove', { currency: row.currency, day: row.from })}
                icon={<IconTrash size={16} />}
                onClick={() => setRows((old) => old.filter((_, place) => place !== at))}
              />
            </li>
          ))}
        </ul>
      )}
      <div className={css.actions}>
        <Button icon={<IconPlus size={15} />} onClick={add}>
          {t('settings:currencies.add')}
        </Button>
        <Button kind="primary" disabled={same} loading={save.isPending} onClick={() => void submit()}>
          {t('common:save')}
        </Button>
      </div>
    </div>
  );
}

/** The base currency of the workspace and what other currencies are worth in it. */
export function CurrenciesPage() {
  const { t } = useTranslation('settings');
  const can = useCan();
  const { data, error, isPending, refetch } = useQuery(ratesQuery());
  if (isPending) return <SkeletonRows rows={4} />;
  if (data === undefined) return <ErrorState error={error} onRetry={() => refetch()} />;
  return (
    <Panel title={t('settings:page.currencies')} aside={t('settings:currencies.base', { base: data.base })}>
      <p className="muted">{t('settings:currencies.about', { base: data.base })}</p>
      {can('schema.manage') ? <Editor key={JSON.stringify(data.rates)} state={data} /> : <Show state={data} />}
    </Panel>
  );
}
