import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type SegmentOverlaps, segmentOverlapsQuery, segmentsQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { encodeCondition } from '@/records/conditions';
import { BackLink, EmptyState, ErrorState, MultiSelect, Page, Panel, Skeleton, SkeletonRows } from '@/ui';
import css from './compare.module.css';
import { ContrastPanel } from './contrast';

const MOST = 12;
const FIRST = 5;

function Matrix({ overlaps }: { overlaps: SegmentOverlaps }) {
  const { t } = useTranslation('segments');
  const fmt = useFormat();
  const { items, matrix } = overlaps;
  return (
    <div className={css.scroll}>
      <table className={css.matrix}>
        <caption className="sr-only">{t('segments:compare.matrix')}</caption>
        <thead>
          <tr>
            <th scope="col">
              <span className="sr-only">{t('segments:title')}</span>
            </th>
            {items.map((item) => (
              <th key={item.key} scope="col">
                <span className={css.head}>{item.label}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items.map((row, at) => {
            const size = matrix[at]?.[at] ?? 0;
            return (
              <tr key={row.key}>
                <th scope="row">
                  <Link to="/segments/$key" params={{ key: row.key }} search={{}}>
                    {row.label}
                  </Link>
                </th>
                {items.map((column, other) => {
                  const both = matrix[at]?.[other] ?? 0;
                  const share = size === 0 ? 0 : both / size;
                  const where =
                    at === other
                      ? { segment: row.key, op: 'in' as const }
                      : { all: [row, column].map(({ key }) => ({ segment: key, op: 'in' as const })) };
                  const tint = at === other ? 0 : Math.round(share * 42);
                  return (
                    <td
                      key={column.key}
                      data-own={at === other || undefined}
                      style={{ background: `color-mix(in srgb, var(--chart-1) ${tint}%, transparent)` }}
                    >
                      <Link
                        to="/o/$object"
                        params={{ object: 'customer' }}
                        search={{ where: encodeCondition(where) }}
                        className={css.cell}
                        title={t('segments:compare.cell', { row: row.label, column: column.label, count: both })}
                      >
                        <span className="num">{fmt.number(both)}</span>
                        {at !== other && <span className={css.share}>{fmt.percent(share, 0)}</span>}
                      </Link>
                    </td>
                  );
                })}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** How several segments meet, two by two. */
export function ComparePage() {
  const { t } = useTranslation('segments');
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as { keys?: string };
  const all = useQuery(segmentsQuery());
  const known = all.data?.items ?? [];
  const keys =
    search.keys === undefined
      ? known.slice(0, FIRST).map(({ key }) => key)
      : search.keys.split(',').filter((key) => known.some((segment) => segment.key === key));
  const { data, error, refetch } = useQuery(segmentOverlapsQuery(keys));
  const shown = keys.length > 1 ? data : undefined;
  return (
    <Page title={t('segments:compare.title')} back={<BackLink to="/segments" label={t('segments:backToList')} />}>
      {all.isPending && <SkeletonRows />}
      {all.data !== undefined && (
        <div className="stack">
          <Panel title={t('segments:compare.matrix')}>
            <div className="stack">
              <MultiSelect
                label={t('segments:compare.which', { max: MOST })}
                searchable
                options={known.map(({ key, label }) => ({
                  value: key,
                  label,
                  disabled: keys.length >= MOST && !keys.includes(key),
                }))}
                value={keys}
                onChange={(next) =>
                  navigate({ to: '/segments/compare', search: { keys: next.join(',') }, replace: true })
                }
              />
              <p className="muted">{t('segments:compare.help')}</p>
              {keys.length < 2 && <EmptyState compact cause="none" title={t('segments:compare.few')} />}
              {keys.length > 1 && error !== null && data === undefined && (
                <ErrorState compact error={error} onRetry={() => refetch()} />
              )}
              {keys.length > 1 && error === null && data === undefined && <Skeleton height={160} />}
              {shown !== undefined && <Matrix overlaps={shown} />}
            </div>
          </Panel>
          <ContrastPanel segments={known} />
        </div>
      )}
    </Page>
  );
}
