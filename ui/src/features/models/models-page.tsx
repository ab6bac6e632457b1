import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type Model, modelsQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Closed, EmptyState, ErrorState, Page, Panel, prose, SkeletonRows, Table } from '@/ui';
import { Figure, ModelState } from './parts';

/** Everything that learns from customers, with how good it is. */
export function ModelsPage() {
  const { t } = useTranslation('models');
  const allowed = useCan()('segment.read');
  return <Page title={t('models:title')}>{allowed ? <All /> : <Closed cause="no_permission" />}</Page>;
}

function All() {
  const { t } = useTranslation('models');
  const fmt = useFormat();
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery(modelsQuery());
  if (data === undefined)
    return error === null ? <SkeletonRows rows={6} /> : <ErrorState error={error} onRetry={() => refetch()} />;
  if (data.items.length === 0) return <EmptyState cause="none" title={t('models:none')} text={t('models:noneText')} />;
  return (
    <div className="stack">
      <p className="muted">{t('models:about')}</p>
      <Panel flush>
        <Table<Model>
          label={t('models:title')}
          rows={data.items}
          rowKey={(model) => model.key}
          onRowClick={(model) => navigate({ to: '/models/$key', params: { key: model.key }, search: {} })}
          columns={[
            {
              key: 'name',
              label: t('models:name'),
              cell: (model) => (
                <span className={prose.lines}>
                  <Link
                    to="/models/$key"
                    params={{ key: model.key }}
                    search={{}}
                    className={prose.plain}
                    onClick={(event) => event.stopPropagation()}
                  >
                    {model.label}
                  </Link>
                  <span className="muted">{model.does}</span>
                </span>
              ),
            },
            { key: 'state', label: t('models:state.label'), cell: (model) => <ModelState model={model} /> },
            {
              key: 'measure',
              label: t('models:quality'),
              align: 'right',
              cell: (model) => (model.measure === null ? '\u2013' : <Figure measure={model.measure} named />),
            },
            {
              key: 'scored',
              label: t('models:scored'),
              align: 'right',
              minor: true,
              cell: (model) => (model.traits.length === 0 ? '\u2013' : fmt.number(model.scored)),
            },
            {
              key: 'fitted',
              label: t('models:fitted'),
              minor: true,
              cell: (model) => (
                <span className="muted">
                  {model.times.fitted_at === null ? t('models:never') : fmt.relative(model.times.fitted_at)}
                </span>
              ),
            },
          ]}
        />
      </Panel>
    </div>
  );
}
