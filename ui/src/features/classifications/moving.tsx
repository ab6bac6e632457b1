import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type ClassificationPreview, type ClassRule, movingPeopleQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { Button, Drawer, EmptyState, ErrorState, Panel, SkeletonRows } from '@/ui';
import { heatCell, heatLevel } from '@/ui/chart';
import { sendable } from './classes';
import css from './studio.module.css';

interface Props {
  classification: string;
  original: readonly ClassRule[];
  classes: readonly ClassRule[];
  preview: ClassificationPreview;
}
interface Way {
  from: string;
  to: string;
}

function Movers({
  classification,
  classes,
  way,
  title,
  onClose,
}: Omit<Props, 'original' | 'preview'> & { way: Way; title: string; onClose: () => void }) {
  const { t } = useTranslation('classifications');
  const fmt = useFormat();
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery(
    movingPeopleQuery(classification, sendable(classes), way.from, way.to),
  );
  const people = data?.pages.flatMap((page) => page.items) ?? [];
  const total = data?.pages[0]?.total ?? null;
  return (
    <Drawer opened onClose={onClose} title={title} size={460}>
      <div className={css.people}>
        {total !== null && (
          <p role="status">{t('classifications:moving.visible', { count: total, shown: fmt.number(total) })}</p>
        )}
        {data === undefined && error === null && <SkeletonRows rows={6} />}
        {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
        {data !== undefined && people.length === 0 && (
          <EmptyState compact cause="no_match" title={t('classifications:moving.nobody')} text="" />
        )}
        <ul className={css.list}>
          {people.map((one) => (
            <li key={one.id} className={css.person}>
              <Link to="/o/$object/$id" params={{ object: 'customer', id: one.id }} target="_blank">
                {one.title || one.id}
              </Link>
              <span className="muted">{one.subtitle}</span>
            </li>
          ))}
        </ul>
        {hasNextPage && (
          <Button loading={isFetchingNextPage} onClick={() => fetchNextPage()}>
            {t('classifications:moving.more')}
          </Button>
        )}
      </div>
    </Drawer>
  );
}

/** From which class to which an unsaved edit would move people; each figure opens them. */
export function Moving({ classification, original, classes, preview }: Props) {
  const { t } = useTranslation('classifications');
  const fmt = useFormat();
  const label = useLabel();
  const [way, setWay] = useState<Way | null>(null);
  const name = (rules: readonly ClassRule[], key: string) =>
    key === '' ? t('classifications:moving.none') : label(rules.find((each) => each.key === key)?.label, key);
  const keys = (rules: readonly ClassRule[], side: 'from' | 'to') => [
    ...rules.map((each) => each.key),
    ...(preview.flows.some((flow) => flow[side] === '') ? [''] : []),
  ];
  const count = (from: string, to: string) =>
    preview.flows.find((flow) => flow.from === from && flow.to === to)?.count ?? 0;
  const most = Math.max(1, ...preview.flows.filter((flow) => flow.from !== flow.to).map((flow) => flow.count));
  const title = (from: string, to: string) => `${name(original, from)} \u2192 ${name(classes, to)}`;
  return (
    <Panel flush title={t('classifications:moving.title')} aside={<span>{t('classifications:moving.help')}</span>}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls sideways must be reachable by keyboard */}
      <section className={css.scroll} aria-label={t('classifications:moving.title')} tabIndex={0}>
        <table className={css.matrix}>
          <thead>
            <tr>
              <th scope="col">{t('classifications:moving.fromTo')}</th>
              {keys(classes, 'to').map((key) => (
                <th key={key} scope="col">
                  {name(classes, key)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {keys(original, 'from').map((from) => (
              <tr key={from}>
                <th scope="row">{name(original, from)}</th>
                {keys(classes, 'to').map((to) => {
                  const found = count(from, to);
                  const same = from === to;
                  const heat = heatCell(same ? 0 : Math.min(6, heatLevel(found, most)));
                  return (
                    <td key={to}>
                      <button
                        type="button"
                        className={cx(css.cell, heat.className, same && css.stay)}
                        data-level={heat['data-level']}
                        disabled={found === 0}
                        aria-label={`${title(from, to)}: ${fmt.number(found)}`}
                        onClick={() => setWay({ from, to })}
                      >
                        {found === 0 ? '' : fmt.number(found)}
                      </button>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {way !== null && (
        <Movers
          classification={classification}
          classes={classes}
          way={way}
          title={title(way.from, way.to)}
          onClose={() => setWay(null)}
        />
      )}
    </Panel>
  );
}
