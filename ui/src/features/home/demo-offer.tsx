import { IconAlertTriangle } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { type DemoState, isDemoBusy, useLoadDemo } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Button, Panel, Progress, SegmentedControl } from '@/ui';
import css from './empty-home.module.css';

const SIZES = [1_000, 20_000, 100_000] as const;

/** What stands in the way of a load, in the server's words. */
function Trouble({ text }: { text: string }) {
  return (
    <p className={css.trouble} role="alert">
      <IconAlertTriangle size={16} aria-hidden />
      <span>{text}</span>
    </p>
  );
}

/** Choose a size and load the demo company; after a failed load, why it failed and the same again. */
export function DemoOffer({ state }: { state: DemoState | undefined }) {
  const { t } = useTranslation('home');
  const fmt = useFormat();
  const load = useLoadDemo();
  const [size, setSize] = useState<number>(20_000);
  const failed = state?.phase === 'failed' ? (state.error?.detail ?? state.error?.title ?? '') : '';
  const refused = load.error?.message ?? '';
  return (
    <>
      {failed !== '' && refused === '' && <Trouble text={t('home:demo.failedEmpty', { why: failed })} />}
      {refused !== '' && <Trouble text={refused} />}
      <SegmentedControl
        label={t('home:demo.size')}
        value={String(size)}
        onChange={(next) => setSize(Number(next))}
        options={SIZES.map((each) => ({ value: String(each), label: fmt.number(each) }))}
        fullWidth
        disabled={load.isPending}
      />
      <p className={css.note}>{t(`home:demo.takes.${size}`)}</p>
      <Button
        loading={load.isPending}
        disabled={state !== undefined && !state.available}
        fullWidth
        onClick={() => load.mutate(size)}
      >
        {t('home:demo.load')}
      </Button>
    </>
  );
}

/** Everything was read before the company arrived; each question is asked anew once it is there. */
export function useFreshAfterDemo(state: DemoState | undefined): void {
  const client = useQueryClient();
  const was = useRef(state?.phase);
  useEffect(() => {
    if (state === undefined || state.phase === was.current) return;
    const worked = was.current !== undefined && was.current !== 'idle';
    was.current = state.phase;
    if (worked && !isDemoBusy(state))
      client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' && queryKey[0] !== 'demo' });
  }, [state, client]);
}

/** A load while it goes on. */
export function DemoLoading({ state }: { state: DemoState }) {
  const { t } = useTranslation('home');
  const fmt = useFormat();
  const share = state.phase === 'loading' && state.customers > 0 ? Math.min(1, state.customers / state.target) : null;
  const facts = [
    { key: 'customers', value: fmt.number(state.customers) },
    { key: 'orders', value: fmt.number(state.orders) },
    { key: 'records', value: fmt.number(state.records) },
    { key: 'took', value: state.seconds < 1 ? '\u2013' : fmt.duration(Math.round(state.seconds)) },
  ];
  return (
    <Panel title={t('home:demo.loading')}>
      <div className="stack">
        <div className="row">
          <span className="grow">{t(`home:demo.phase.${state.phase}`)}</span>
          <span className="num">{share === null ? '' : fmt.percent(share, 0)}</span>
        </div>
        <Progress value={share} label={t('home:demo.loading')} height={10} />
        <p className="sr-only" role="status">
          {t(`home:demo.phase.${state.phase}`)} {share === null ? '' : fmt.percent(Math.floor(share * 10) / 10, 0)}
        </p>
        <dl className={css.facts}>
          {facts.map((fact) => (
            <div key={fact.key}>
              <dt>{t(`home:demo.fact.${fact.key}`)}</dt>
              <dd>{fact.value}</dd>
            </div>
          ))}
        </dl>
        <p className={css.note}>{t('home:demo.mayLeave')}</p>
      </div>
    </Panel>
  );
}

/** A load that broke off half-way: what there is can be used. */
export function DemoBroken({ state }: { state: DemoState }) {
  const { t } = useTranslation('home');
  const fmt = useFormat();
  const why = state.error?.detail ?? state.error?.title ?? '';
  return (
    <div className={css.broken}>
      <Trouble text={t('home:demo.failedPart', { why, count: state.customers, shown: fmt.number(state.customers) })} />
    </div>
  );
}
