import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type Coupon, faultsOf, type Ref, segmentsQuery, useIssueCodes } from '@/api';
import { RecordMultiSelect } from '@/fields/base/record-select';
import { useFormat, useTranslation } from '@/i18n';
import { saveCsv } from '@/lib/csv';
import { useCan } from '@/metadata';
import { Button, Modal, NumberInput, RadioGroup, Select, Switch, Textarea } from '@/ui';
import css from './offers.module.css';

const WAYS = ['make', 'own', 'customers', 'segment'] as const;
type Way = (typeof WAYS)[number];
const MOST = 10_000;

/** Makes codes, takes in one's own, or gives one to each of some customers; then they are there to be saved, this once as a list. */
export function IssueDialog({ offer, name, onClose }: { offer: string; name: string; onClose: () => void }) {
  const { t } = useTranslation(['offers', 'common']);
  const fmt = useFormat();
  const issue = useIssueCodes();
  const [way, setWay] = useState<Way>('make');
  const [count, setCount] = useState<number | null>(100);
  const [text, setText] = useState('');
  const [shared, setShared] = useState(false);
  const [customers, setCustomers] = useState<Ref[]>([]);
  const [segment, setSegment] = useState<string | null>(null);
  const can = useCan();
  const segments = useQuery({ ...segmentsQuery(), enabled: can('segment.read') }).data?.items ?? [];
  const own = text.split(/[^\p{L}\p{N}-]+/u).filter(Boolean);
  const ready = {
    make: (count ?? 0) > 0,
    own: own.length > 0,
    customers: customers.length > 0,
    segment: segment !== null,
  }[way];
  const faults = faultsOf(issue.error);
  const done = issue.data;
  const go = () => {
    if (way === 'make') issue.mutate({ id: offer, n: shared ? 1 : (count ?? 1), shared });
    else if (way === 'own') issue.mutate({ id: offer, codes: own, shared });
    else if (way === 'segment') issue.mutate({ id: offer, segment: segment ?? '' });
    else issue.mutate({ id: offer, customers: customers.map((one) => one.id) });
  };
  const save = (items: readonly Coupon[]) =>
    saveCsv(
      name,
      [t('offers:code.code'), t('offers:code.customer'), t('offers:code.until')],
      items.map((one) => [
        one.code,
        one.customer?.title ?? '',
        one.expires_at === null ? '' : fmt.datetime(one.expires_at),
      ]),
    );
  if (done !== undefined)
    return (
      <Modal
        opened
        title={t('offers:issue.done')}
        onClose={onClose}
        footer={
          <>
            {done.items.length > 0 && <Button onClick={() => save(done.items)}>{t('offers:issue.save')}</Button>}
            <Button kind="primary" onClick={onClose}>
              {t('common:close')}
            </Button>
          </>
        }
      >
        <p>
          {t('offers:issue.made', { count: done.new })}
          {done.items.length > done.new && t('offers:issue.known', { count: done.items.length - done.new })}
        </p>
        <p className={css.code}>
          {done.items
            .slice(0, 3)
            .map((one) => one.code)
            .join(' \u00b7 ')}
        </p>
      </Modal>
    );
  return (
    <Modal
      opened
      title={t('offers:issue.title')}
      onClose={onClose}
      dirty={text !== '' || customers.length > 0}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" disabled={!ready} loading={issue.isPending} onClick={go}>
            {t('offers:issue.go')}
          </Button>
        </>
      }
    >
      <div className={css.form}>
        <RadioGroup
          label={t('offers:issue.how')}
          value={way}
          onChange={(next) => setWay(next as Way)}
          options={WAYS.filter((one) => one !== 'segment' || segments.length > 0).map((one) => ({
            value: one,
            label: t(`offers:issue.ways.${one}`),
          }))}
        />
        {(way === 'make' || way === 'own') && (
          <Switch label={t('offers:issue.shared')} checked={shared} onChange={(on) => setShared(on)} />
        )}
        {way === 'make' && !shared && (
          <NumberInput
            label={t('offers:issue.count')}
            min={1}
            max={MOST}
            value={count}
            onChange={setCount}
            error={faults.at('n')}
          />
        )}
        {way === 'own' && (
          <Textarea
            label={t('offers:issue.own')}
            description={t('offers:issue.ownText')}
            value={text}
            onChange={setText}
            error={faults.at('codes')}
          />
        )}
        {way === 'customers' && (
          <RecordMultiSelect
            label={t('offers:issue.customers')}
            object="customer"
            value={customers}
            onChange={setCustomers}
          />
        )}
        {way === 'segment' && (
          <Select
            label={t('offers:issue.segment')}
            description={t('offers:issue.segmentText')}
            searchable
            value={segment}
            onChange={setSegment}
            options={segments.map((one) => ({ value: one.key, label: one.label }))}
            error={faults.at('segment')}
          />
        )}
        {faults.rest !== null && <p role="alert">{faults.rest}</p>}
      </div>
    </Modal>
  );
}
