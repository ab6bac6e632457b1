import { IconUsersPlus } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { ContentFigures } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { encodeCondition } from '@/records/conditions';
import { peopleOf } from '@/records/content/people';
import { ButtonLink, EmptyState, Panel, SegmentedControl, Table, type TableColumn } from '@/ui';
import { Barred } from '@/ui/figures';
import css from './interactions.module.css';
import { useOptionName } from './words';

const ORDERS = ['interactions', 'rate', 'seen'] as const;
type Order = (typeof ORDERS)[number];
/** Below it a rate says little. */
const LEAST_SEEN = 50;
const rate = (content: ContentFigures): number => (content.seen === 0 ? 0 : content.interactions / content.seen);
const KINDS = ['liked', 'commented', 'shared', 'saved', 'watched'] as const;

/** The contents that most was done with, and who did it. */
export function Contents({ list, total }: { list: readonly ContentFigures[]; total: number }) {
  const { t } = useTranslation('interactions');
  const fmt = useFormat();
  const can = useCan();
  const name = useOptionName();
  const [order, setOrder] = useState<Order>('interactions');
  const value = (content: ContentFigures): number => {
    if (order !== 'rate') return content[order];
    return content.seen < LEAST_SEEN ? -1 : rate(content);
  };
  const rows = [...list].sort((left, right) => value(right) - value(left));
  const most = Math.max(1, ...list.map((content) => content.interactions));
  const number = (
    key: 'seen' | 'interactions' | (typeof KINDS)[number],
    minor: boolean,
  ): TableColumn<ContentFigures> => ({
    key,
    label: t(`interactions:term.${key}`),
    align: 'right',
    minor,
    cell: (content) => fmt.number(content[key]),
  });
  return (
    <Panel
      flush
      title={t('interactions:best')}
      aside={
        <SegmentedControl<Order>
          label={t('interactions:order')}
          value={order}
          onChange={setOrder}
          options={ORDERS.map((key) => ({ value: key, label: t(`interactions:term.${key}`) }))}
        />
      }
    >
      {rows.length === 0 ? (
        <EmptyState compact cause="no_permission" />
      ) : (
        <Table
          label={t('interactions:best')}
          rows={rows}
          rowKey={(content) => content.record.id}
          columns={[
            {
              key: 'title',
              label: t('interactions:content'),
              cell: (content) => (
                <Barred share={content.interactions / most}>
                  <span className={css.titled}>
                    <Link
                      className="truncate"
                      to="/o/$object/$id"
                      params={{ object: 'content', id: content.record.id }}
                      title={content.record.title}
                    >
                      {content.record.title}
                    </Link>
                    <span className={css.quiet}>
                      {name('platform', content.platform)} {'\u00b7'} {name('kind', content.kind)}
                    </span>
                  </span>
                </Barred>
              ),
            },
            number('seen', true),
            number('interactions', false),
            {
              key: 'rate',
              label: t('interactions:term.rate'),
              align: 'right',
              cell: (content) => (content.seen === 0 ? '\u2013' : fmt.percent(rate(content), 2)),
            },
            ...KINDS.map((key) => number(key, true)),
            {
              key: 'people',
              label: t('interactions:term.people'),
              align: 'right',
              cell: (content) =>
                content.people > 0 && can('segment.write') ? (
                  <ButtonLink
                    kind="subtle"
                    icon={<IconUsersPlus size={15} />}
                    to="/segments/new"
                    search={{
                      where: encodeCondition(peopleOf(content.external_id)),
                      name: t('interactions:peopleOf', { name: content.record.title }),
                    }}
                    aria-label={t('interactions:showPeople', { name: content.record.title })}
                  >
                    {fmt.number(content.people)}
                  </ButtonLink>
                ) : (
                  fmt.number(content.people)
                ),
            },
          ]}
        />
      )}
      <p className={css.foot}>
        {total > list.length && `${t('interactions:more', { shown: list.length, total })} `}
        {t('interactions:peopleMeans')}
      </p>
    </Panel>
  );
}
