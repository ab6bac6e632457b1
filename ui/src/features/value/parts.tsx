import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Condition, Money } from '@/api';
import { encodeCondition } from '@/records/conditions';
import css from './value.module.css';

export const amountOf = (money: Money | null): number => (money === null ? 0 : Number(money.amount));

/** A figure that opens the customers behind it. */
export function Behind({ where, label, children }: { where: Condition; label: string; children: ReactNode }) {
  return (
    <Link
      className={css.behind}
      to="/o/$object"
      params={{ object: 'customer' }}
      search={{ where: encodeCondition(where) }}
      title={label}
    >
      {children}
    </Link>
  );
}
