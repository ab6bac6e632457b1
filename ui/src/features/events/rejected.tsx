import { IconTrash, IconWand } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type RejectedEvent, type RejectedWhich, rejectedEventsQuery, useDeleteRejected } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import {
  Button,
  Checkbox,
  confirm,
  Drawer,
  EmptyState,
  ErrorState,
  Facts,
  Panel,
  Pill,
  prose,
  SearchInput,
  Select,
  SkeletonRows,
  Table,
  toast,
} from '@/ui';
import css from './events.module.css';
import { ReplayDialog } from './replay-dialog';

/** What was not taken at the door, and what the plan holds back: looked at, repaired and sent again, or deleted. */
export function RejectedPart() {
  const { t } = useTranslation(['tracking', 'common']);
  const fmt = useFormat();
  const can = useCan();
  const [code, setCode] = useState<string | null>(null);
  const [search, setSearch] = useState('');
  const [chosen, setChosen] = useState<string[]>([]);
  const [shown, setShown] = useState<RejectedEvent | null>(null);
  const [repairing, setRepairing] = useState<RejectedWhich | null>(null);
  const remove = useDeleteRejected();
  const filter: RejectedWhich = {
    ...(code !== null && { code }),
    ...(search.trim() !== '' && { search: search.trim() }),
  };
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    rejectedEventsQuery(filter),
  );
  const rows = data?.pages.flatMap((page) => page.items) ?? [];
  const codes = data?.pages[0]?.codes ?? [];
  const filtered = code !== null || search.trim() !== '';
  const picked = chosen.filter((id) => rows.some((row) => row.id === id));
  const which: RejectedWhich = picked.length > 0 ? { ids: picked } : { ...filter, ...(!filtered && { all: true }) };
  const drop = async () => {
    const sure = await confirm({
      title: t('tracking:rejected.delete'),
      text:
        picked.length > 0
          ? t('tracking:rejected.deleteText', { count: picked.length })
          : t('tracking:rejected.deleteAllText'),
      confirm: t('tracking:rejected.delete'),
      danger: true,
    });
    if (!sure) return;
    try {
      const count = await remove.mutateAsync(which);
      setChosen([]);
      toast.ok(t('tracking:rejected.deleted', { count }));
    } catch (failure) {
      toast.error((failure as Error).message);
    }
  };
  return (
    <div className={css.stack}>
      <p className="muted">{t('tracking:rejected.text')}</p>
      <div className={css.filters}>
        <SearchInput
          aria-label={t('tracking:rejected.search')}
          placeholder={t('tracking:rejected.search')}
          value={search}
          onChange={setSearch}
        />
        <Select
          aria-label={t('tracking:rejected.reason')}
          placeholder={t('tracking:rejected.reason')}
          clearable
          value={code}
          onChange={setCode}
          options={codes.map((each) => ({ value: each.code, label: `${each.text} (${fmt.number(each.count)})` }))}
        />
        {can('event.manage') && rows.length > 0 && (
          <>
            <Button kind="primary" icon={<IconWand size={15} />} onClick={() => setRepairing(which)}>
              {picked.length > 0
                ? t('tracking:rejected.repair', { count: picked.length })
                : t('tracking:rejected.repairAll')}
            </Button>
            <Button icon={<IconTrash size={15} />} loading={remove.isPending} onClick={() => void drop()}>
              {t('tracking:rejected.delete')}
            </Button>
          </>
        )}
      </div>
      <Panel flush title={t('tracking:tab.rejected')}>
        {isPending && <SkeletonRows rows={6} />}
        {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
        {data !== undefined && (
          <Table<RejectedEvent>
            label={t('tracking:tab.rejected')}
            rows={rows}
            rowKey={(row) => row.id}
            onRowClick={setShown}
            empty={
              <EmptyState
                compact
                cause={filtered ? 'no_match' : 'none'}
                {...(!filtered && { title: t('tracking:rejected.none'), text: t('tracking:rejected.noneText') })}
              />
            }
            columns={[
              {
                key: 'choose',
                label: <span className="sr-only">{t('tracking:rejected.choose')}</span>,
                width: 36,
                cell: (row) => (
                  // biome-ignore lint/a11y/noStaticElementInteractions: it only keeps the row from opening
                  // biome-ignore lint/a11y/useKeyWithClickEvents: the box inside takes the keys
                  <span onClick={(event) => event.stopPropagation()}>
                    <Checkbox
                      aria-label={t('tracking:rejected.chooseOne', { name: row.name || row.id })}
                      checked={chosen.includes(row.id)}
                      onChange={(on) => setChosen(on ? [...chosen, row.id] : chosen.filter((id) => id !== row.id))}
                    />
                  </span>
                ),
              },
              {
                key: 'name',
                label: t('tracking:live.event'),
                cell: (row) => (
                  <span className={prose.lines}>
                    <button type="button" className={prose.link} onClick={() => setShown(row)}>
                      {row.name || t('tracking:noName')}
                    </button>
                    <span className={prose.when}>{fmt.datetime(row.received_at)}</span>
                  </span>
                ),
              },
              {
                key: 'why',
                label: t('tracking:live.why'),
                cell: (row) => (
                  <span className={css.pills}>
                    {row.held && <Pill color="orange">{t('tracking:rejected.held')}</Pill>}
                    <span>{row.trouble[0]?.text}</span>
                    {row.trouble.length > 1 && <span className="muted">{`+${row.trouble.length - 1}`}</span>}
                  </span>
                ),
              },
              {
                key: 'source',
                label: t('tracking:filter.source'),
                minor: true,
                cell: (row) => <span className="muted">{row.source.name || t('tracking:goneSource')}</span>,
              },
            ]}
          />
        )}
      </Panel>
      {hasNextPage && (
        <div>
          <Button loading={isFetchingNextPage} onClick={() => fetchNextPage()}>
            {t('common:more')}
          </Button>
        </div>
      )}
      {shown !== null && <RejectedDrawer event={shown} onClose={() => setShown(null)} />}
      {repairing !== null && (
        <ReplayDialog
          which={repairing}
          onClose={(done) => {
            setRepairing(null);
            if (done) setChosen([]);
          }}
        />
      )}
    </div>
  );
}

function RejectedDrawer({ event, onClose }: { event: RejectedEvent; onClose: () => void }) {
  const { t } = useTranslation('tracking');
  const fmt = useFormat();
  return (
    <Drawer opened onClose={onClose} title={event.name || t('tracking:noName')} size={640}>
      <div className={css.stack}>
        <Facts>
          <dt>{t('tracking:live.why')}</dt>
          <dd>
            <ul className={css.trouble}>
              {event.trouble.map((each) => (
                <li key={each.code + each.property}>{each.text}</li>
              ))}
            </ul>
          </dd>
          <dt>{t('tracking:live.received')}</dt>
          <dd>{fmt.datetime(event.received_at)}</dd>
          <dt>{t('tracking:filter.source')}</dt>
          <dd>{event.source.name || t('tracking:goneSource')}</dd>
          <dt>{t('tracking:live.messageId')}</dt>
          <dd className={css.id}>{event.message_id || '\u2013'}</dd>
        </Facts>
        <h3>{t('tracking:rejected.body')}</h3>
        <pre className={css.json}>
          {typeof event.body === 'string' ? event.body : JSON.stringify(event.body, null, 2)}
        </pre>
      </div>
    </Drawer>
  );
}
