import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Condition } from '@/api';
import { encodeCondition } from '@/records/conditions';
import css from './churn.module.css';

interface Props {
  where: Condition;
  object?: string;
  label: string;
  children: ReactNode;
}
/** A figure that opens the list behind it. */
export function Behind({ where, object = 'customer', label, children }: Props) {
  return (
    <Link
      className={css.behind}
      to="/o/$object"
      params={{ object }}
      search={{ where: encodeCondition(where) }}
      title={label}
    >
      {children}
    </Link>
  );
}
