import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type EventName, eventNameQuery, eventNamesQuery, type LearnedProperty, useForgetEvent } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import {
  Button,
  confirm,
  Drawer,
  EmptyState,
  ErrorState,
  Facts,
  Panel,
  Pill,
  prose,
  SearchInput,
  SkeletonRows,
  Table,
  toast,
} from '@/ui';
import { Spark } from '@/ui/chart';
import css from './events.module.css';

const DAYS = 30;
const DAY = 86_400_000;

/** Thirty values, the last of today; days without any are 0. */
function lastDays(name: EventName, today: string): number[] {
  const counts = new Map(name.days.map((each) => [each.day, each.count]));
  const end = Date.parse(`${today}T00:00:00Z`);
  return Array.from(
    { length: DAYS },
    (_, at) => counts.get(new Date(end - (DAYS - 1 - at) * DAY).toISOString().slice(0, 10)) ?? 0,
  );
}

/** Every name that came, with its volume; what is known of its properties opens beside. */
export function NamesPart() {
  const { t } = useTranslation('tracking');
  const fmt = useFormat();
  const [text, setText] = useState('');
  const [shown, setShown] = useState<EventName | null>(null);
  const { data, error, isPending, refetch } = useQuery(eventNamesQuery());
  if (isPending) return <SkeletonRows rows={8} />;
  if (data === undefined) return <ErrorState compact error={error} onRetry={() => refetch()} />;
  const wanted = text.trim().toLowerCase();
  const rows = data.items.filter((each) => each.name.toLowerCase().includes(wanted));
  const key = (each: EventName) => each.source.id + each.name;
  return (
    <div className={css.stack}>
      <div className={css.filters}>
        <SearchInput
          aria-label={t('tracking:names.search')}
          placeholder={t('tracking:names.search')}
          value={text}
          onChange={setText}
        />
      </div>
      <Panel flush title={t('tracking:names.title', { count: rows.length })}>
        <Table<EventName>
          label={t('tracking:tab.names')}
          rows={rows}
          rowKey={key}
          onRowClick={setShown}
          empty={
            <EmptyState
              compact
              cause={wanted === '' ? 'none' : 'no_match'}
              {...(wanted === '' && { title: t('tracking:names.none'), text: t('tracking:names.noneText') })}
            />
          }
          columns={[
            {
              key: 'name',
              label: t('tracking:live.event'),
              cell: (each) => (
                <span className={prose.lines}>
                  <button type="button" className={prose.link} onClick={() => setShown(each)}>
                    {each.name === '\u2026' ? t('tracking:names.more') : each.name}
                  </button>
                  <span className={css.sub}>
                    {t(`tracking:kind.${each.kind}`)}
                    {' \u00b7 '}
                    {each.source.name || t('tracking:goneSource')}
                  </span>
                </span>
              ),
            },
            {
              key: 'planned',
              label: t('tracking:names.plan'),
              minor: true,
              cell: (each) => each.planned && <Pill color="green">{t('tracking:names.planned')}</Pill>,
            },
            {
              key: 'days',
              label: t('tracking:names.days'),
              minor: true,
              cell: (each) => (
                <Spark values={lastDays(each, fmt.today())} label={t('tracking:names.daysOf', { name: each.name })} />
              ),
            },
            {
              key: 'count',
              label: t('tracking:names.count'),
              align: 'right',
              cell: (each) => fmt.number(each.count),
            },
            {
              key: 'last',
              label: t('tracking:names.last'),
              minor: true,
              cell: (each) => <span className="muted">{fmt.relative(each.last_at)}</span>,
            },
          ]}
        />
      </Panel>
      {shown !== null && <NameDrawer key={key(shown)} name={shown} onClose={() => setShown(null)} />}
    </div>
  );
}

function NameDrawer({ name, onClose }: { name: EventName; onClose: () => void }) {
  const { t } = useTranslation('tracking');
  const fmt = useFormat();
  const can = useCan();
  const forget = useForgetEvent();
  const { data, error, refetch } = useQuery(eventNameQuery(name.source.id, name.name));
  const remove = async () => {
    const sure = await confirm({
      title: t('tracking:names.forget'),
      text: t('tracking:names.forgetText', { name: name.name }),
      confirm: t('tracking:names.forget'),
      danger: true,
    });
    if (!sure) return;
    try {
      await forget.mutateAsync({ source: name.source.id, name: name.name });
      toast.ok(t('tracking:names.forgotten'));
      onClose();
    } catch (failure) {
      toast.error((failure as Error).message);
    }
  };
  return (
    <Drawer opened onClose={onClose} title={name.name} size={720}>
      <div className={css.stack}>
        <Facts>
          <dt>{t('tracking:filter.source')}</dt>
          <dd>{name.source.name || t('tracking:goneSource')}</dd>
          <dt>{t('tracking:names.count')}</dt>
          <dd>{fmt.number(name.count)}</dd>
          <dt>{t('tracking:names.first')}</dt>
          <dd>{fmt.datetime(name.first_at)}</dd>
          <dt>{t('tracking:names.last')}</dt>
          <dd>{fmt.datetime(name.last_at)}</dd>
        </Facts>
        {data === undefined && error === null && <SkeletonRows rows={5} />}
        {data === undefined && error !== null && <ErrorState compact error={error} onRetry={() => refetch()} />}
        {data !== undefined && (
          <Panel flush title={t('tracking:names.properties')}>
            <Table<LearnedProperty>
              label={t('tracking:names.properties')}
              rows={data.properties ?? []}
              rowKey={(each) => each.path}
              empty={<EmptyState compact cause="none" title={t('tracking:names.noProperties')} text="" />}
              columns={[
                { key: 'path', label: t('tracking:plan.property'), cell: (each) => <code>{each.path}</code> },
                {
                  key: 'types',
                  label: t('tracking:plan.type'),
                  cell: (each) =>
                    Object.entries(each.types)
                      .sort(([, a], [, b]) => b - a)
                      .map(([type]) => t(`tracking:type.${type}`))
                      .join(' \u00b7 '),
                },
                {
                  key: 'share',
                  label: t('tracking:names.share'),
                  align: 'right',
                  cell: (each) => fmt.percent(Math.min(1, each.count / Math.max(1, name.count)), 0),
                },
                {
                  key: 'examples',
                  label: t('tracking:names.examples'),
                  minor: true,
                  cell: (each) => <span className={css.examples}>{each.examples.join(' \u00b7 ') || '\u2013'}</span>,
                },
              ]}
            />
          </Panel>
        )}
        <p className="muted">{t('tracking:names.hidden')}</p>
        {can('event.manage') && (
          <div>
            <Button kind="danger-subtle" loading={forget.isPending} onClick={() => void remove()}>
              {t('tracking:names.forget')}
            </Button>
          </div>
        )}
      </div>
    </Drawer>
  );
}
