import css from './heat.module.css';

/** Class and attribute of a cell of a heat table. */
export const heatCell = (level: number) => ({ className: css.cell ?? '', 'data-level': level });
