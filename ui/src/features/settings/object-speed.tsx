import { useQuery } from '@tanstack/react-query';
import { adviceQuery, errorText, type ObjectType, type SlowList, useChangeField, worksQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { findField, resolvePath, useObjects } from '@/metadata';
import { Button, ErrorState, Panel, Pill, Progress, prose, SkeletonRows, Table, toast } from '@/ui';
import css from './object.module.css';

/** Which lists are slow and what would help; the indexes that there are. */
export function ObjectSpeed({ object }: { object: ObjectType }) {
  const { t } = useTranslation(['speed', 'common']);
  const label = useLabel();
  const fmt = useFormat();
  const objects = useObjects();
  const advice = useQuery(adviceQuery(object.key));
  const works = useQuery(worksQuery(object.key)).data?.items ?? [];
  const change = useChangeField(object.key);
  const making = works.find((work) => work.kind === 'index' && (work.state === 'queued' || work.state === 'running'));
  const failed = works.find((work) => work.kind === 'index');
  const name = (path: string): string => {
    const found = resolvePath(objects, object.key, path);
    if (found === null) return path;
    return [...found.through, found.field].map((field) => label(field.label, field.key)).join(' \u00b7 ');
  };
  const make = async (field: string, indexed: boolean) => {
    try {
      await change.mutateAsync({ field, change: { indexed } });
      toast.ok(t(indexed ? 'speed:asked' : 'speed:removed', { name: name(field) }));
      await advice.refetch();
    } catch {
      // said below
    }
  };
  if (advice.isError) return <ErrorState error={advice.error} onRetry={() => advice.refetch()} />;
  if (advice.data === undefined) return <SkeletonRows rows={5} />;
  const indexed = object.fields.filter((field) => field.indexed === true);
  const what = (list: SlowList) => (
    <span className={prose.lines}>
      <span>
        {list.fields.length === 0 ? t('speed:all') : t('speed:by', { names: list.fields.map(name).join(' + ') })}
      </span>
      {list.sort !== undefined && <span className="muted">{t('speed:sorted', { name: name(list.sort) })}</span>}
    </span>
  );
  return (
    <div className="stack">
      <p className="muted">{t('speed:about')}</p>
      {making !== undefined && (
        <div>
          <Progress value={null} label={t('speed:making')} />
          <p className={css.help} role="status">
            {t('speed:making')}
          </p>
        </div>
      )}
      {making === undefined && failed?.state === 'failed' && (
        <p className={css.refused} role="alert">
          {t('speed:failed')} {failed.error}
        </p>
      )}
      {change.isError && (
        <p className={css.refused} role="alert">
          {errorText(change.error)}
        </p>
      )}
      {advice.data.items.length === 0 ? (
        <p>{t('speed:none')}</p>
      ) : (
        <div className={css.boxed}>
          <Table
            label={t('speed:lists')}
            rows={advice.data.items}
            rowKey={(list) => `${list.fields.join(',')}|${list.sort ?? ''}`}
            columns={[
              { key: 'what', label: t('speed:list'), cell: what },
              {
                key: 'slow',
                label: t('speed:slow'),
                cell: (list) => t('speed:slowOf', { slow: list.slow, asked: list.asked }),
              },
              { key: 'p95', label: t('speed:p95'), minor: true, cell: (list) => t('speed:ms', { ms: list.p95_ms }) },
              { key: 'last', label: t('speed:last'), minor: true, cell: (list) => fmt.relative(list.last_at) },
              {
                key: 'help',
                label: <span className="sr-only">{t('speed:help')}</span>,
                cell: (list) =>
                  list.propose === undefined ? (
                    <span className="muted">{t('speed:nothing')}</span>
                  ) : (
                    <Button
                      loading={change.isPending && change.variables?.field === list.propose}
                      onClick={() => void make(list.propose ?? '', true)}
                    >
                      {t('speed:make', { name: name(list.propose) })}
                    </Button>
                  ),
              },
            ]}
          />
        </div>
      )}
      <Panel title={t('speed:indexes')} aside={t('speed:cost')}>
        <ul className={css.archived}>
          {indexed.map((field) => (
            <li key={field.key}>
              <span className="grow truncate">
                {label(field.label, field.key)} <code className="muted">{field.key}</code>
              </span>
              {findField(object, field.key)?.custom === true ? (
                <Button kind="subtle" onClick={() => void make(field.key, false)}>
                  {t('speed:remove')}
                  <span className="sr-only"> {label(field.label, field.key)}</span>
                </Button>
              ) : (
                <Pill color="gray">{t('speed:builtIn')}</Pill>
              )}
            </li>
          ))}
        </ul>
      </Panel>
    </div>
  );
}
