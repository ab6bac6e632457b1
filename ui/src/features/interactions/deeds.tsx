import type { OfflineDeed } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { encodeCondition } from '@/records/conditions';
import { ButtonLink, EmptyState, Panel, Table } from '@/ui';
import css from './interactions.module.css';

/** Visits of sales people are records, not events. */
const VISIT = 'visit';

/** What happened off the web. */
export function Deeds({ deeds, days }: { deeds: readonly OfflineDeed[]; days: number }) {
  const { t } = useTranslation('interactions');
  const fmt = useFormat();
  const can = useCan();
  const name = (deed: OfflineDeed) => t(`interactions:deed.${deed.name}`);
  return (
    <Panel flush title={t('interactions:offline')}>
      {deeds.length === 0 ? (
        <EmptyState compact cause="none" title={t('interactions:noDeeds')} text={t('interactions:noDeedsText')} />
      ) : (
        <Table
          label={t('interactions:offline')}
          rows={deeds}
          rowKey={(deed) => deed.name}
          columns={[
            {
              key: 'name',
              label: t('interactions:what'),
              cell: (deed) => <span className={css.named}>{name(deed)}</span>,
            },
            {
              key: 'count',
              label: t('interactions:term.count'),
              align: 'right',
              cell: (deed) => fmt.number(deed.count),
            },
            {
              key: 'rating',
              label: t('interactions:term.rating'),
              align: 'right',
              minor: true,
              cell: (deed) => (deed.rating === null ? '' : fmt.number(deed.rating, 2)),
            },
            {
              key: 'people',
              label: t('interactions:term.people'),
              align: 'right',
              cell: (deed) =>
                deed.name !== VISIT && can('segment.write') ? (
                  <ButtonLink
                    kind="subtle"
                    to="/segments/new"
                    search={{ where: encodeCondition({ event: deed.name, within: { days } }), name: name(deed) }}
                    aria-label={t('interactions:showPeople', { name: name(deed) })}
                  >
                    {fmt.number(deed.people)}
                  </ButtonLink>
                ) : (
                  fmt.number(deed.people)
                ),
            },
          ]}
        />
      )}
      <p className={css.foot}>{t('interactions:offlineMeans')}</p>
    </Panel>
  );
}
