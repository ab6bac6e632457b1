import { useFieldContext } from '@/fields';
import { useTranslation } from '@/i18n';
import { Button, ErrorState } from '@/ui';
import { Grid } from '../grid/grid';
import type { GridProps } from '../grid/grid-props';
import { GridTotals, TOTALS_HEIGHT } from '../grid/grid-totals';
import { GroupRow } from '../grid/group-row';
import { useGroupedRows } from '../grid/use-grouped-rows';
import { PAGE, useRows } from '../grid/use-rows';
import css from './list.module.css';
import { useGroups, useTotals } from './use-figures';
import type { List } from './use-list';

interface Props extends Omit<GridProps, 'rich'> {
  list: List;
  /** The page on screen, null where the list scrolls. */
  page: number | null;
}

/** A grid with groups, figures under its columns, or numbered pages. */
export function RichGrid({ list, page, ...props }: Props) {
  const { t } = useTranslation('views');
  const context = useFieldContext();
  const { grouping, error, more, allOpen, setAllOpen } = useGroups(list, context);
  const totals = useTotals(list, context);
  if (error !== null)
    return (
      <div className={css.center}>
        <ErrorState error={error} />
      </div>
    );
  return (
    <>
      {grouping !== null && (
        <div className={css.groupBar}>
          <Button kind="subtle" onClick={() => setAllOpen(!allOpen)}>
            {allOpen ? t('panel.closeAll') : t('panel.openAll')}
          </Button>
          {more && <span className="muted">{t('group.more', { count: grouping.groups.length })}</span>}
        </div>
      )}
      <Grid
        {...props}
        key={grouping === null ? 'rows' : 'groups'}
        rich={{
          useSource: grouping === null ? useRows : useGroupedRows,
          grouping,
          slice: page === null ? null : { from: (page - 1) * PAGE, size: PAGE },
          head: (at) => grouping !== null && <GroupRow grouping={grouping} {...at} />,
          foot: totals === null ? null : (frame) => <GridTotals totals={totals} {...frame} />,
          footHeight: totals === null ? 0 : TOTALS_HEIGHT,
        }}
      />
    </>
  );
}
