import type { MeasureFunc } from '@/api';
import { useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { Menu } from '@/ui';
import { measuresOf } from '../figures';
import type { Frame } from './grid-props';
import css from './rich.module.css';
import { CHECK } from './use-viewport';

/** The row under a list: what each column adds up to, over everything that matches. */
export interface Totals {
  chosen: Readonly<Record<string, MeasureFunc>>;
  /** The figure of a column in words, null while it is on its way. */
  text: (column: string) => string | null;
  choose: (column: string, func: MeasureFunc | null) => void;
}

type Props = { totals: Totals } & Frame;

export const TOTALS_HEIGHT = 34;

export function GridTotals({ totals, columns, columnFirst, columnEnd, lead, lefts }: Props) {
  const { t } = useTranslation('views');
  const cell = (at: number) => {
    const column = columns[at];
    if (column === undefined) return null;
    const left = lefts[at];
    const func = totals.chosen[column.key];
    const text = func === undefined ? '' : totals.text(column.key);
    const offered: MeasureFunc[] = [...(at === 0 ? (['count'] as const) : []), ...measuresOf(column.field)];
    return (
      <div
        key={column.key}
        role="gridcell"
        aria-colindex={at + 2}
        className={cx(css.totalCell, left !== undefined && css.frozen, column.align === 'right' && css.right)}
        style={left === undefined ? { width: column.width } : { width: column.width, left: CHECK + left }}
      >
        <Menu
          position="top-start"
          target={
            <button type="button" className={css.totalButton} aria-haspopup="menu">
              <span className="sr-only">{column.label}</span>
              {func === undefined ? (
                <span className={css.totalNone}>{t('totals.choose')}</span>
              ) : (
                <>
                  <span className={css.totalFunc}>{t(`totals.${func}`)}</span>
                  {text === null ? (
                    <span className={css.bone} style={{ width: 48 }} />
                  ) : (
                    <span className={css.totalValue}>{text}</span>
                  )}
                </>
              )}
            </button>
          }
          entries={[
            ...offered.map((offer) => ({
              label: t(`totals.${offer}`),
              checked: offer === func,
              onSelect: () => totals.choose(column.key, offer),
            })),
            { divider: true as const },
            { label: t('totals.none'), checked: func === undefined, onSelect: () => totals.choose(column.key, null) },
          ]}
        />
      </div>
    );
  };
  const middle = [];
  for (let at = Math.max(lefts.length, columnFirst); at < Math.min(columnEnd, columns.length); at++)
    middle.push(cell(at));
  return (
    <div className={css.totals} role="rowgroup">
      <div className={css.totalRow} role="row" aria-label={t('totals.title')}>
        <div role="gridcell" aria-colindex={1} className={css.check} style={{ width: CHECK }} />
        {lefts.map((_, at) => cell(at))}
        {lead > 0 && <div role="presentation" style={{ width: lead, flex: 'none' }} />}
        {middle}
      </div>
    </div>
  );
}
