import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type ActionLine, actionWorkQuery, playsQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useObject } from '@/metadata';
import { Decide } from '@/records/actions/decide';
import { useSay } from '@/records/actions/say';
import { Button, Checkbox, EmptyState, ErrorState, Panel, Select, SkeletonRows, Switch, Table, Tooltip } from '@/ui';
import { Stack, Toolbar } from '@/ui/figures';
import css from './actions.module.css';

const idOf = (line: ActionLine) => `${line.customer.id} ${line.play}`;
const MOST = 100;

interface Props {
  play: string;
  mine: boolean;
  onAsk: (play: string, mine: boolean) => void;
}

/** Customers and plays, the highest expected gain first. */
export function WorkList({ play, mine, onAsk }: Props) {
  const { t } = useTranslation(['actions', 'next']);
  const fmt = useFormat();
  const label = useLabel();
  const plays = useQuery(playsQuery());
  const answer = useInfiniteQuery(actionWorkQuery({ play, mine }));
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const { run, busy } = useSay();
  const lines = answer.data?.pages.flatMap((page) => page.items) ?? [];
  const total = answer.data?.pages[0]?.total ?? null;
  const picked = lines.filter((line) => chosen.has(idOf(line))).slice(0, MOST);
  const may = useObject('customer')?.actions.update === true;
  const known = plays.data;
  const kindOf = (line: ActionLine) => known?.items.find((one) => one.key === line.play)?.kind;
  const toggle = (keys: string[], on: boolean) => {
    const next = new Set(chosen);
    for (const key of keys)
      if (on) next.add(key);
      else next.delete(key);
    setChosen(next);
  };
  const acceptAll = () => {
    run(
      { pick: 'taken', items: picked.map((line) => ({ customer: line.customer.id, play: line.play })) },
      t('next:done.tasks', { count: picked.length }),
    );
    setChosen(new Set());
  };
  if (answer.isError && answer.data === undefined)
    return <ErrorState error={answer.error} onRetry={() => answer.refetch()} />;
  const none = mine ? 'noneMine' : 'none';
  return (
    <Stack>
      <Toolbar>
        <Select
          aria-label={t('actions:filter.play')}
          value={play}
          onChange={(next) => onAsk(next ?? '', mine)}
          options={[
            { value: '', label: t('actions:filter.all') },
            ...(known?.items ?? [])
              .filter((one) => one.on)
              .map((one) => ({ value: one.key, label: label(one.label, one.key) })),
          ]}
        />
        <Switch label={t('actions:filter.mine')} checked={mine} onChange={(next) => onAsk(play, next)} />
        <span className="grow" />
        {known !== undefined && (
          <span className="muted">
            {known.at_most > 0 ? t('actions:limit', { count: known.at_most, span: known.span }) : t('actions:noLimit')}
          </span>
        )}
        {may && picked.length > 0 && (
          <Button kind="primary" loading={busy} onClick={acceptAll}>
            {t('actions:acceptMany', { count: picked.length })}
          </Button>
        )}
      </Toolbar>
      {answer.data === undefined && <SkeletonRows rows={8} />}
      {answer.data !== undefined && lines.length === 0 && (
        <EmptyState cause="none" title={t(`actions:${none}.title`)} text={t(`actions:${none}.text`)} />
      )}
      {lines.length > 0 && (
        <Panel
          flush
          title={t('actions:tabs.work')}
          aside={total === null ? undefined : t('actions:filter.shown', { count: total, shown: fmt.number(total) })}
        >
          <Table
            label={t('actions:tabs.work')}
            rows={lines}
            rowKey={idOf}
            columns={[
              ...(may
                ? [
                    {
                      key: 'choose',
                      minor: true,
                      width: 36,
                      label: (
                        <Checkbox
                          aria-label={t('actions:chooseAll')}
                          checked={picked.length > 0 && picked.length === Math.min(MOST, lines.length)}
                          onChange={(on) => toggle(lines.slice(0, MOST).map(idOf), on)}
                        />
                      ),
                      cell: (line: ActionLine) => (
                        <Checkbox
                          aria-label={t('actions:choose', { name: line.customer.title })}
                          checked={chosen.has(idOf(line))}
                          onChange={(on) => toggle([idOf(line)], on)}
                        />
                      ),
                    },
                  ]
                : []),
              {
                key: 'customer',
                label: `${t('actions:column.customer')} · ${t('actions:column.play')}`,
                cell: (line) => (
                  <>
                    <Link to="/o/$object/$id" params={{ object: 'customer', id: line.customer.id }}>
                      {line.customer.title || line.customer.id}
                    </Link>
                    <div className="muted">{label(line.label, line.play)}</div>
                  </>
                ),
              },
              {
                key: 'gain',
                align: 'right',
                label: (
                  <Tooltip label={t('actions:means.gain')}>
                    <span>{t('actions:column.gain')}</span>
                  </Tooltip>
                ),
                cell: (line) => fmt.money(line.gain),
              },
              { key: 'owner', minor: true, label: t('actions:column.owner'), cell: (line) => line.owner || '\u2013' },
              ...(may
                ? [
                    {
                      key: 'do',
                      label: '',
                      align: 'right' as const,
                      cell: (line: ActionLine) => (
                        <Decide
                          subject={{
                            customer: line.customer.id,
                            customerName: line.customer.title,
                            play: line.play,
                            name: label(line.label, line.play),
                            kind: kindOf(line),
                          }}
                        />
                      ),
                    },
                  ]
                : []),
            ]}
          />
          {answer.hasNextPage && (
            <div className={css.end}>
              <Button loading={answer.isFetchingNextPage} onClick={() => answer.fetchNextPage()}>
                {t('actions:loadMore')}
              </Button>
            </div>
          )}
        </Panel>
      )}
    </Stack>
  );
}
