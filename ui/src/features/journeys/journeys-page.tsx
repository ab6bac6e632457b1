import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { errorText, type Journey, journeyPlaysQuery, journeysQuery, usePlay } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import {
  Button,
  ButtonLink,
  Closed,
  Dot,
  EmptyState,
  ErrorState,
  Page,
  Panel,
  prose,
  SkeletonRows,
  Table,
  Tabs,
  toast,
} from '@/ui';
import css from './journeys.module.css';
import { STATUS_HUE } from './words';

const FIGURES = ['on', 'entered', 'done', 'goal'] as const;

function List({ rows }: { rows: readonly Journey[] }) {
  const { t } = useTranslation('journeys');
  const fmt = useFormat();
  const navigate = useNavigate();
  return (
    <Table<Journey>
      label={t('journeys:title')}
      rows={rows}
      rowKey={(row) => row.id}
      onRowClick={(row) => navigate({ to: '/journeys/$id', params: { id: row.id } })}
      columns={[
        {
          key: 'name',
          label: t('journeys:name'),
          cell: (row) => (
            <span className={prose.lines}>
              <Link
                to="/journeys/$id"
                params={{ id: row.id }}
                className={prose.plain}
                onClick={(event) => event.stopPropagation()}
              >
                {row.name}
              </Link>
              <span className="muted">{t(`journeys:trigger.${row.trigger === '' ? 'none' : row.trigger}`)}</span>
            </span>
          ),
        },
        {
          key: 'status',
          label: t('journeys:status'),
          cell: (row) => <Dot color={STATUS_HUE[row.status]}>{t(`journeys:statuses.${row.status}`)}</Dot>,
        },
        ...FIGURES.map((figure) => ({
          key: figure,
          label: t(`journeys:figure.${figure}`),
          align: 'right' as const,
          minor: figure !== 'on',
          cell: (row: Journey) => (row.published === 0 ? '\u2013' : fmt.number(row.standing[figure])),
        })),
        {
          key: 'changed',
          label: t('journeys:changed'),
          minor: true,
          cell: (row) => (
            <span className="muted">
              {row.updated_by.title} {'\u00b7'} {fmt.relative(row.updated_at)}
            </span>
          ),
        },
      ]}
    />
  );
}

function All() {
  const { t } = useTranslation('journeys');
  const can = useCan();
  const { data, error, refetch } = useQuery(journeysQuery());
  if (data === undefined)
    return error === null ? <SkeletonRows rows={5} /> : <ErrorState error={error} onRetry={() => refetch()} />;
  if (data.items.length === 0)
    return (
      <EmptyState
        cause="none"
        title={t('journeys:none')}
        text={t('journeys:noneText')}
        actions={
          can('campaign.write') && (
            <ButtonLink to="/journeys" search={{ tab: 'plays' }} kind="primary">
              {t('journeys:toPlays')}
            </ButtonLink>
          )
        }
      />
    );
  return (
    <Panel flush>
      <List rows={data.items} />
    </Panel>
  );
}

/** Ready journeys of care: each makes a draft with its messages. */
function Plays() {
  const { t } = useTranslation('journeys');
  const can = useCan();
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery(journeyPlaysQuery());
  const play = usePlay();
  if (data === undefined)
    return error === null ? <SkeletonRows rows={6} /> : <ErrorState error={error} onRetry={() => refetch()} />;
  return (
    <div className={css.plays}>
      {data.items.map((one) => (
        <section key={one.key} className={css.play} aria-label={one.name}>
          <h3>{one.name}</h3>
          <p>{one.about}</p>
          {one.missing ? (
            <span className="muted">{t('journeys:playMissing')}</span>
          ) : (
            can('campaign.write') && (
              <span>
                <Button
                  loading={play.isPending && play.variables === one.key}
                  disabled={play.isPending}
                  onClick={() =>
                    play.mutate(one.key, {
                      onSuccess: (made) => navigate({ to: '/journeys/$id', params: { id: made.id } }),
                      onError: (fault) => toast.error(errorText(fault)),
                    })
                  }
                >
                  {t('journeys:usePlay')}
                </Button>
              </span>
            )
          )}
        </section>
      ))}
    </div>
  );
}

/** Journeys, and ready ones to begin with. */
export function JourneysPage() {
  const { t } = useTranslation('journeys');
  const can = useCan();
  const navigate = useNavigate();
  const tab = (useSearch({ strict: false }) as { tab?: string }).tab === 'plays' ? 'plays' : 'all';
  if (!can('campaign.read'))
    return (
      <Page title={t('journeys:title')}>
        <Closed cause="no_permission" />
      </Page>
    );
  return (
    <Page
      title={t('journeys:title')}
      actions={
        can('campaign.write') && (
          <ButtonLink to="/journeys/$id" params={{ id: 'new' }} kind="primary" icon={<IconPlus size={15} />}>
            {t('journeys:add')}
          </ButtonLink>
        )
      }
    >
      <Tabs
        label={t('journeys:title')}
        value={tab}
        onChange={(next) =>
          navigate({ to: '/journeys', search: next === 'plays' ? { tab: 'plays' } : {}, replace: true })
        }
        items={[
          { value: 'all', label: t('journeys:all'), content: <All /> },
          { value: 'plays', label: t('journeys:plays'), content: <Plays /> },
        ]}
      />
    </Page>
  );
}
