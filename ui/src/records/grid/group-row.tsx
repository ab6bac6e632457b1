import { IconChevronRight, IconFilter } from '@tabler/icons-react';
import type { FigureGroup } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { frozenWidth } from './columns';
import base from './grid.module.css';
import type { Frame, Grouping } from './grid-props';
import { cellId } from './grid-row';
import { GROUP_LIMIT } from './grouping';
import css from './rich.module.css';
import { CHECK } from './use-viewport';

interface Props extends Frame {
  gridId: string;
  row: number;
  top: number;
  group: FigureGroup;
  grouping: Grouping;
  active: boolean;
}

/** The head of a group: its name and count at the left, its figures under their columns. The grid listens for it. */
export function GroupRow(props: Props) {
  const { gridId, row, group, grouping, columns, columnFirst, columnEnd, lefts } = props;
  const frozen = lefts.length;
  const opened = grouping.isOpen(group);
  const { t } = useTranslation('views');
  const fmt = useFormat();
  const middle = [];
  for (let at = Math.max(frozen, columnFirst); at < Math.min(columnEnd, columns.length); at++) {
    const column = columns[at];
    if (column === undefined) continue;
    middle.push(
      <div
        key={column.key}
        role="gridcell"
        aria-colindex={at + 2}
        className={cx(base.cell, css.groupFigure, column.align === 'right' && base.right)}
        style={{ width: column.width }}
      >
        {grouping.figure(group, column.key)}
      </div>,
    );
  }
  return (
    <div
      role="row"
      aria-rowindex={row + 2}
      data-row={row}
      data-group
      className={cx(base.row, css.groupRow)}
      style={{ top: props.top }}
    >
      <div
        role="gridcell"
        id={cellId(gridId, row, 0)}
        aria-expanded={opened}
        aria-colindex={1}
        aria-colspan={frozen + 1}
        className={cx(css.groupHead, props.active && base.active)}
        style={{ width: CHECK + frozenWidth(columns, frozen) }}
      >
        <IconChevronRight size={15} className={css.groupSign} data-open={opened || undefined} aria-hidden />
        <span className={css.groupName}>{grouping.name(group)}</span>
        <span
          className={css.groupCount}
          title={group.count > GROUP_LIMIT ? t('group.part', { count: GROUP_LIMIT }) : undefined}
        >
          {fmt.number(group.count)}
        </span>
        <button
          type="button"
          tabIndex={-1}
          className={css.groupOnly}
          data-only
          title={t('group.only')}
          aria-label={t('group.only')}
        >
          <IconFilter size={14} aria-hidden />
        </button>
      </div>
      {props.lead > 0 && <div role="presentation" style={{ width: props.lead, flex: 'none' }} />}
      {middle}
    </div>
  );
}
