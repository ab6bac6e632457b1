import { IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import {
  type AcquisitionCost,
  type AcquisitionRow,
  acquisitionQuery,
  type Condition,
  faultsOf,
  formsQuery,
  useSetCost,
} from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useCan, useMinor, useObject } from '@/metadata';
import { encodeCondition } from '@/records/conditions';
import {
  Button,
  EmptyState,
  ErrorState,
  IconButton,
  NumberInput,
  Panel,
  Select,
  SkeletonRows,
  Table,
  TextInput,
  toast,
} from '@/ui';
import { Barred, Halves, Stack, Toolbar } from '@/ui/figures';
import css from './forms.module.css';

/** Months back from this one, the newest first: as many as a report may have. */
const MONTHS = 36;
const monthsBack = (today: Date): string[] =>
  Array.from({ length: MONTHS }, (_, back) => {
    const at = new Date(today.getFullYear(), today.getMonth() - back, 1);
    return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, '0')}`;
  });
const lastDay = (month: string): string => {
  const [year = 0, at = 1] = month.split('-').map(Number);
  return `${month}-${String(new Date(year, at, 0).getDate()).padStart(2, '0')}`;
};

/** The customers of a source who came in some months, as the report counts them. */
const behind = (source: string, from: string, to: string, bought: boolean): Condition => {
  const value = [`${from}-01`, lastDay(to)];
  return {
    all: [
      source === '' ? { field: 'source', op: 'is_not_set' } : { field: 'source', op: '=', value: source },
      {
        any: [
          { field: 'acquired_on', op: 'between', value },
          {
            all: [
              { field: 'acquired_on', op: 'is_not_set' },
              { field: 'created_at', op: 'between', value },
            ],
          },
        ],
      },
      ...(bought ? [{ trait: 'orders', op: '>', value: 0 }] : []),
    ],
  } as Condition;
};

const useNames = () => {
  const { t } = useTranslation('forms');
  const label = useLabel();
  const options = useObject('customer')?.fields.find((field) => field.key === 'source')?.options ?? [];
  const forms = useQuery(formsQuery()).data?.items ?? [];
  const of = (origin: string) => {
    if (origin === '') return t('forms:cost.unknown');
    const option = options.find((one) => one.key === origin);
    return option === undefined ? (forms.find((one) => one.id === origin)?.name ?? origin) : label(option.label);
  };
  const full = (row: { origin: string; source: string; campaign: string }) =>
    [of(row.origin), row.source, row.campaign].filter(Boolean).join(' / ');
  return { of, full, options, forms, label };
};

function Enter({ months }: { months: string[] }) {
  const { t } = useTranslation('forms');
  const names = useNames();
  const minor = useMinor();
  const set = useSetCost();
  const [month, setMonth] = useState(months[0] ?? '');
  const [origin, setOrigin] = useState<string | null>(null);
  const [trace, setTrace] = useState({ source: '', campaign: '' });
  const [amount, setAmount] = useState<number | null>(null);
  const faults = faultsOf(set.error);
  const byForm = names.forms.some((one) => one.id === origin);
  const save = () =>
    set.mutate(
      { month, origin: origin ?? '', ...(byForm ? trace : { source: '', campaign: '' }), amount: minor.minor(amount) },
      {
        onSuccess: () => {
          toast.ok(t('forms:cost.saved'));
          setAmount(null);
        },
      },
    );
  const part = (key: 'source' | 'campaign') => (
    <TextInput
      label={t(`forms:code.${key}`)}
      value={trace[key]}
      onChange={(value) => setTrace({ ...trace, [key]: value })}
      error={faults.at(key)}
    />
  );
  return (
    <Panel title={t('forms:cost.add')}>
      <div className={css.form}>
        <div className={css.line}>
          <Select
            label={t('forms:cost.month')}
            value={month}
            onChange={(next) => setMonth(next ?? month)}
            options={months.map((one) => ({ value: one, label: one }))}
            error={faults.at('month')}
          />
          <Select
            label={t('forms:cost.what')}
            searchable
            value={origin}
            onChange={setOrigin}
            options={[
              ...names.options.map((one) => ({ value: one.key, label: names.label(one.label) })),
              ...names.forms.map((one) => ({ value: one.id, label: one.name, group: t('forms:formsTab') })),
            ]}
            error={faults.at('origin')}
          />
        </div>
        {byForm && (
          <div className={css.line}>
            {part('source')}
            {part('campaign')}
          </div>
        )}
        <div className={css.line}>
          <NumberInput
            label={t('forms:cost.amount')}
            min={0}
            value={amount}
            onChange={setAmount}
            error={faults.at('amount')}
          />
          <Button kind="primary" loading={set.isPending} disabled={origin === null || amount === null} onClick={save}>
            {t('forms:cost.save')}
          </Button>
        </div>
      </div>
    </Panel>
  );
}

function Costs({ costs }: { costs: readonly AcquisitionCost[] }) {
  const { t } = useTranslation('forms');
  const names = useNames();
  const minor = useMinor();
  const can = useCan();
  const set = useSetCost();
  return (
    <Panel flush={costs.length > 0} title={t('forms:cost.costs')}>
      <Table<AcquisitionCost>
        label={t('forms:cost.costs')}
        rows={costs}
        rowKey={(row) => `${row.month}:${row.origin}:${row.source}:${row.campaign}`}
        empty={<EmptyState compact cause="none" title={t('forms:cost.none')} text={t('forms:cost.noneText')} />}
        columns={[
          { key: 'month', label: t('forms:cost.month'), cell: (row) => row.month },
          { key: 'what', label: t('forms:cost.what'), cell: (row) => names.full(row) },
          { key: 'amount', label: t('forms:cost.amount'), align: 'right', cell: (row) => minor.text(row.amount) },
          ...(can('campaign.write')
            ? [
                {
                  key: 'drop',
                  label: '',
                  align: 'right' as const,
                  cell: (row: AcquisitionCost) => (
                    <IconButton
                      label={t('forms:cost.drop', { name: `${names.full(row)} ${row.month}` })}
                      icon={<IconTrash size={15} />}
                      disabled={set.isPending}
                      onClick={() => set.mutate({ ...row, amount: 0 })}
                    />
                  ),
                },
              ]
            : []),
        ]}
      />
    </Panel>
  );
}

/** Where the customers of some months came from, what they cost, and how many have bought. */
export function Sources() {
  const { t } = useTranslation('forms');
  const fmt = useFormat();
  const minor = useMinor();
  const can = useCan();
  const names = useNames();
  const [months] = useState(() => monthsBack(new Date()));
  const [from, setFrom] = useState(months[11] ?? '');
  const [to, setTo] = useState(months[0] ?? '');
  const { data, error, refetch, isPlaceholderData } = useQuery(acquisitionQuery(from, to));
  const pick = (key: 'from' | 'to', value: string, set: (next: string) => void) => (
    <Select
      label={t(`forms:cost.${key}`)}
      value={value}
      onChange={(next) => next !== null && set(next)}
      options={months
        .filter((one) => (key === 'from' ? one <= to : one >= from))
        .map((one) => ({ value: one, label: one }))}
    />
  );
  const most = Math.max(1, ...(data?.sources ?? []).map((row) => row.customers));
  const opens = (row: AcquisitionRow, bought: boolean) => {
    const n = bought ? row.bought : row.customers;
    const said = fmt.number(n);
    if (n === 0) return said;
    if (row.name !== '')
      return bought ? (
        said
      ) : (
        <Link
          className={css.link}
          to="/forms/$id"
          params={{ id: row.origin }}
          search={{ tab: 'sent', state: 'made', source: row.source, campaign: row.campaign, from, to }}
        >
          {said}
        </Link>
      );
    return (
      <Link
        className={css.link}
        to="/o/$object"
        params={{ object: 'customer' }}
        search={{ where: encodeCondition(behind(row.origin, from, to, bought)) }}
      >
        {said}
      </Link>
    );
  };
  const table = (label: string, rows: readonly AcquisitionRow[]) => (
    <Table<AcquisitionRow>
      label={label}
      rows={rows}
      rowKey={(row) => `${row.origin}:${row.source}:${row.campaign}`}
      columns={[
        {
          key: 'source',
          label,
          cell: (row) => (
            <Barred share={row.customers / most}>
              <span>{names.full(row)}</span>
            </Barred>
          ),
        },
        { key: 'customers', label: t('forms:cost.customers'), align: 'right', cell: (row) => opens(row, false) },
        ...(data?.bought
          ? [
              {
                key: 'bought',
                label: t('forms:cost.bought'),
                align: 'right' as const,
                cell: (row: AcquisitionRow) => (
                  <>
                    {opens(row, true)}
                    {row.customers > 0 && <span className="muted"> {fmt.percent(row.bought / row.customers, 1)}</span>}
                  </>
                ),
              },
            ]
          : []),
        { key: 'cost', label: t('forms:cost.spent'), align: 'right', minor: true, cell: (row) => minor.text(row.cost) },
        {
          key: 'per',
          label: t('forms:cost.per'),
          align: 'right',
          cell: (row) =>
            row.customers > 0 && row.cost > 0 ? minor.text(Math.round(row.cost / row.customers)) : '\u2013',
        },
      ]}
    />
  );
  const report = () => {
    if (data === undefined)
      return error === null ? <SkeletonRows rows={6} /> : <ErrorState error={error} onRetry={() => refetch()} />;
    return (
      <>
        {data.sources.length === 0 ? (
          <EmptyState cause="none" title={t('forms:cost.empty')} text={t('forms:cost.noneText')} />
        ) : (
          <Panel flush>{table(t('forms:cost.source'), data.sources)}</Panel>
        )}
        {data.forms.length > 0 && <Panel flush>{table(t('forms:cost.ofForms'), data.forms)}</Panel>}
        <p className="muted">
          {t('forms:cost.note')} {!data.bought && t('forms:cost.hidden')}
        </p>
        <Halves>
          <Costs costs={data.costs} />
          {can('campaign.write') && <Enter months={months} />}
        </Halves>
      </>
    );
  };
  return (
    <Stack dim={isPlaceholderData}>
      <Toolbar>
        {pick('from', from, setFrom)}
        {pick('to', to, setTo)}
      </Toolbar>
      {report()}
    </Stack>
  );
}
