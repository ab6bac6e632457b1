import { IconDownload, IconShieldCheck } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type AuditEntry, auditExportUrl, auditQuery, usersQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { findObject, useCan, useObjects } from '@/metadata';
import {
  Button,
  ButtonAnchor,
  DateRangePicker,
  Drawer,
  EmptyState,
  ErrorState,
  Facts,
  prose,
  Select,
  SkeletonRows,
  Table,
} from '@/ui';
import { ACTIONS } from './audit-actions';
import css from './settings.module.css';
import { TrailCheckDialog } from './trail-check';

/** Actions that this version does not know can be in the trail and show as they are. */
function useWords() {
  const { t } = useTranslation('settings');
  const known = new Set(ACTIONS);
  return {
    action: (action: string): string => (known.has(action) ? t(`settings:action.${action.replace('.', '_')}`) : action),
    actor: (entry: AuditEntry): string => entry.actor.name || t(`settings:actor.${entry.actor.kind}`),
  };
}

const OTHERS = new Set(['segment', 'classification', 'apikey', 'user', 'import']);

function What({ entry }: { entry: AuditEntry }) {
  const { t } = useTranslation('settings');
  const label = useLabel();
  const objects = useObjects();
  if (!entry.object) return <span className="muted">{'\u2013'}</span>;
  const object = findObject(objects, entry.object);
  const name = label(object?.label, entry.object);
  const { key } = entry.detail;
  if (entry.object === 'segment' && typeof key === 'string')
    return (
      <Link to="/segments/$key" params={{ key }} onClick={(event) => event.stopPropagation()}>
        {t('settings:audit.object.segment')}
      </Link>
    );
  if (entry.object === 'classification' && typeof key === 'string')
    return (
      <Link to="/classifications/$key" params={{ key }} onClick={(event) => event.stopPropagation()}>
        {t('settings:audit.object.classification')}
      </Link>
    );
  if (OTHERS.has(entry.object)) return <span>{t(`settings:audit.object.${entry.object}`)}</span>;
  if (object === undefined || object.hidden || !entry.record_id) return <span>{name}</span>;
  return (
    <Link
      to="/o/$object/$id"
      params={{ object: entry.object, id: entry.record_id }}
      onClick={(event) => event.stopPropagation()}
    >
      {name}
    </Link>
  );
}

function Detail({ entry, onClose }: { entry: AuditEntry | null; onClose: () => void }) {
  const { t } = useTranslation('settings');
  const fmt = useFormat();
  const words = useWords();
  return (
    <Drawer opened={entry !== null} onClose={onClose} title={entry === null ? '' : words.action(entry.action)}>
      {entry !== null && (
        <Facts>
          <dt>{t('settings:audit.at')}</dt>
          <dd>{fmt.datetime(entry.at)}</dd>
          <dt>{t('settings:audit.actor')}</dt>
          <dd>
            {words.actor(entry)} <span className="muted">{t(`settings:actor.${entry.actor.kind}`)}</span>
          </dd>
          <dt>{t('settings:audit.action')}</dt>
          <dd>
            <code>{entry.action}</code>
          </dd>
          <dt>{t('settings:audit.what')}</dt>
          <dd>
            <What entry={entry} /> {entry.record_id && <code className="muted">{entry.record_id}</code>}
          </dd>
          <dt>{t('settings:audit.detail')}</dt>
          <dd>
            {Object.keys(entry.detail).length === 0 ? (
              <span className="muted">{t('settings:audit.noDetail')}</span>
            ) : (
              <pre className={css.json}>{JSON.stringify(entry.detail, null, 2)}</pre>
            )}
          </dd>
        </Facts>
      )}
    </Drawer>
  );
}

export function AuditPage() {
  const { t } = useTranslation('settings');
  const fmt = useFormat();
  const can = useCan();
  const words = useWords();
  const [actor, setActor] = useState<string | null>(null);
  const [action, setAction] = useState<string | null>(null);
  const [object, setObject] = useState<string | null>(null);
  const [span, setSpan] = useState<[string | null, string | null]>([null, null]);
  const [shown, setShown] = useState<AuditEntry | null>(null);
  const [checking, setChecking] = useState(false);
  const objects = useObjects();
  const label = useLabel();
  const allowed = can('audit.read');
  const users = useQuery({ ...usersQuery(), enabled: allowed });
  const [from, to] = span;
  const filter = {
    ...(actor !== null && { actor }),
    ...(action !== null && { action }),
    ...(object !== null && { object }),
    ...(from !== null && { from }),
    ...(from !== null && to !== null && { to }),
  };
  const { data, error, isPending, fetchNextPage, hasNextPage, isFetchingNextPage, refetch } = useInfiniteQuery({
    ...auditQuery(filter),
    enabled: allowed,
  });
  if (!allowed) return <EmptyState cause="no_permission" />;
  const entries = data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <div className="stack">
      <div className={css.filters}>
        <Select
          aria-label={t('settings:audit.actor')}
          placeholder={t('settings:audit.anybody')}
          clearable
          searchable
          options={(users.data?.items ?? []).map((user) => ({ value: user.id, label: user.name || user.email }))}
          value={actor}
          onChange={setActor}
        />
        <Select
          aria-label={t('settings:audit.action')}
          placeholder={t('settings:audit.anything')}
          clearable
          searchable
          options={ACTIONS.map((each) => ({ value: each, label: words.action(each) }))}
          value={action}
          onChange={setAction}
        />
        <Select
          aria-label={t('settings:audit.what')}
          placeholder={t('settings:audit.anyObject')}
          clearable
          searchable
          options={objects.map((each) => ({ value: each.key, label: label(each.label, each.key) }))}
          value={object}
          onChange={setObject}
        />
        <DateRangePicker
          aria-label={t('settings:audit.when')}
          placeholder={t('settings:audit.when')}
          clearable
          value={span}
          onChange={setSpan}
        />
        <span className={css.filterActions}>
          <Button icon={<IconShieldCheck size={15} />} onClick={() => setChecking(true)}>
            {t('settings:audit.check')}
          </Button>
          <ButtonAnchor href={auditExportUrl(filter)} download="audit.csv" icon={<IconDownload size={15} />}>
            {t('settings:audit.export')}
          </ButtonAnchor>
        </span>
      </div>
      <div className={css.boxed}>
        {isPending && <SkeletonRows rows={10} />}
        {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
        {data !== undefined && (
          <Table
            label={t('settings:page.audit')}
            rows={entries}
            rowKey={(entry) => entry.id}
            onRowClick={setShown}
            empty={<EmptyState compact cause={Object.keys(filter).length === 0 ? 'none' : 'no_match'} />}
            columns={[
              {
                key: 'at',
                label: t('settings:audit.at'),
                width: 170,
                cell: (entry) => <span className={prose.when}>{fmt.datetime(entry.at)}</span>,
              },
              {
                key: 'actor',
                label: t('settings:audit.actor'),
                cell: (entry) => <span className={css.nowrap}>{words.actor(entry)}</span>,
              },
              {
                key: 'action',
                label: t('settings:audit.action'),
                cell: (entry) => (
                  <button type="button" className={prose.link} onClick={() => setShown(entry)}>
                    {words.action(entry.action)}
                  </button>
                ),
              },
              { key: 'what', label: t('settings:audit.what'), minor: true, cell: (entry) => <What entry={entry} /> },
            ]}
          />
        )}
      </div>
      {hasNextPage && (
        <div>
          <Button loading={isFetchingNextPage} onClick={() => fetchNextPage()}>
            {t('settings:audit.more')}
          </Button>
        </div>
      )}
      <Detail entry={shown} onClose={() => setShown(null)} />
      {checking && <TrailCheckDialog onClose={() => setChecking(false)} />}
    </div>
  );
}
