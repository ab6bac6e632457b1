import { Link } from '@tanstack/react-router';
import type { MouseEventHandler, ReactNode, Ref } from 'react';
import type { Condition } from '@/api';
import { encodeCondition } from '@/records/conditions';

interface Props {
  object?: string;
  where: Condition | null;
  className?: string | undefined;
  children: ReactNode;
  'aria-label'?: string;
  'data-level'?: number;
  title?: string;
  ref?: Ref<HTMLAnchorElement>;
  onMouseEnter?: MouseEventHandler;
}
/** A figure that opens the list behind it. */
export function ListLink({ object = 'customer', where, ...rest }: Props) {
  return (
    <Link
      to="/o/$object"
      params={{ object }}
      search={where === null ? {} : { where: encodeCondition(where) }}
      {...rest}
    />
  );
}
