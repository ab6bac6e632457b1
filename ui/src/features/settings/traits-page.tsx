import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type ComputedTrait, computedTraitsQuery, type TraitPass, traitPassesQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { groupTraits, useCan, useTraits } from '@/metadata';
import { ButtonLink, EmptyState, ErrorState, Panel, Pill, prose, SkeletonRows, Table } from '@/ui';
import css from './traits.module.css';

/** The traits that the workspace defines itself. */
function Defined() {
  const { t } = useTranslation('traits');
  const fmt = useFormat();
  const label = useLabel();
  const can = useCan();
  const navigate = useNavigate();
  const { data, error, isPending, refetch } = useQuery(computedTraitsQuery());
  const add = can('classification.write') && (
    <ButtonLink to="/settings/traits/new" kind="primary" icon={<IconPlus size={15} />}>
      {t('traits:add')}
    </ButtonLink>
  );
  const empty = data?.items.length === 0;
  return (
    <Panel flush title={t('traits:own')} aside={empty ? undefined : add}>
      {isPending && <SkeletonRows rows={3} />}
      {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
      {data !== undefined && (
        <Table<ComputedTrait>
          label={t('traits:own')}
          rows={data.items}
          rowKey={(trait) => trait.key}
          onRowClick={(trait) => navigate({ to: '/settings/traits/$key', params: { key: trait.key } })}
          empty={<EmptyState compact cause="none" title={t('traits:none')} text={t('traits:noneText')} actions={add} />}
          columns={[
            {
              key: 'name',
              label: t('traits:name'),
              cell: (trait) => (
                <span className={prose.lines}>
                  <Link
                    to="/settings/traits/$key"
                    params={{ key: trait.key }}
                    className={prose.plain}
                    onClick={(event) => event.stopPropagation()}
                  >
                    {label(trait.label, trait.key)}
                  </Link>
                  <span className="muted">{label(trait.sentence)}</span>
                  {trait.broken !== null && (
                    <span>
                      <Pill color="red">{t('traits:broken')}</Pill> {trait.broken}
                    </span>
                  )}
                </span>
              ),
            },
            {
              key: 'kind',
              label: t('traits:kindLabel'),
              minor: true,
              cell: (trait) => t(`traits:kind.${trait.figure.kind}`),
            },
            {
              key: 'updated',
              label: t('traits:updated'),
              minor: true,
              cell: (trait) => <span className="muted">{fmt.relative(trait.updated_at)}</span>,
            },
          ]}
        />
      )}
    </Panel>
  );
}

/** The traits that the program works out, with what each means. */
function Standard() {
  const { t } = useTranslation('traits');
  const label = useLabel();
  const groups = groupTraits(useTraits()).filter(({ key }) => key !== 'computed');
  return (
    <Panel title={t('traits:standard')}>
      {groups.map((group) => (
        <details key={group.key} className={css.group}>
          <summary>
            {label(group.label)} <span className="muted">{group.traits.length}</span>
          </summary>
          <dl className={css.definitions}>
            {group.traits.map((trait) => (
              <div key={trait.key}>
                <dt>{label(trait.label, trait.key)}</dt>
                <dd className="muted">{label(trait.definition)}</dd>
              </div>
            ))}
          </dl>
        </details>
      ))}
    </Panel>
  );
}

function Agreement({ pass }: { pass: TraitPass }) {
  const { t } = useTranslation('traits');
  if (!pass.verified) return <span className="muted">{t('traits:pass.unverified')}</span>;
  if (pass.differing === 0) return <Pill color="green">{t('traits:pass.same')}</Pill>;
  return <Pill color="red">{t('traits:pass.differs', { count: pass.differing })}</Pill>;
}

/** The last computations over everyone, and whether they found what the small ones had left. */
function Passes() {
  const { t } = useTranslation('traits');
  const fmt = useFormat();
  const { data } = useQuery(traitPassesQuery());
  if (data === undefined || data.items.length === 0) return null;
  return (
    <Panel flush title={t('traits:pass.title')}>
      <Table<TraitPass>
        label={t('traits:pass.title')}
        rows={data.items}
        rowKey={(pass) => pass.at}
        columns={[
          { key: 'at', label: t('traits:pass.at'), cell: (pass) => fmt.datetime(pass.at) },
          { key: 'kind', label: t('traits:pass.kind'), minor: true, cell: (pass) => t(`traits:pass.of.${pass.kind}`) },
          {
            key: 'customers',
            label: t('traits:pass.customers'),
            align: 'right',
            cell: (pass) => fmt.number(pass.customers),
          },
          {
            key: 'took',
            label: t('traits:pass.took'),
            align: 'right',
            minor: true,
            cell: (pass) => fmt.duration(pass.seconds),
          },
          { key: 'same', label: t('traits:pass.check'), cell: (pass) => <Agreement pass={pass} /> },
        ]}
      />
    </Panel>
  );
}

export function TraitsPage() {
  const { t } = useTranslation('traits');
  const can = useCan();
  if (!can('segment.read')) return <EmptyState cause="no_permission" />;
  return (
    <div className="stack">
      <p className="muted">{t('traits:about')}</p>
      <Defined />
      <Standard />
      <Passes />
    </div>
  );
}
