import { createElement } from 'react';
import { defineKind, OPS, parsed, refused } from '../kind';
import css from './rating.module.css';

const MOST = 5;

export const ratingKind = defineKind({
  type: 'rating',
  width: 110,
  aggregate: ['avg', 'min', 'max', 'distinct'],
  operators: OPS.number,
  text: (value) => (typeof value === 'number' ? String(value) : ''),
  display(value, field) {
    if (typeof value !== 'number') return null;
    const most = field.max ?? MOST;
    return createElement(
      'span',
      { className: css.stars, role: 'img', 'aria-label': `${value} / ${most}` },
      '\u2605'.repeat(value),
      createElement('span', { className: css.left, 'aria-hidden': true }, '\u2605'.repeat(Math.max(most - value, 0))),
    );
  },
  parse(text, field) {
    if (text.trim() === '') return parsed(null);
    const stars = (text.match(/[\u2605\u2b50]/g) ?? []).length || Number(text.trim());
    return Number.isInteger(stars) && stars >= 0 && stars <= (field.max ?? MOST) ? parsed(stars || null) : refused;
  },
});
