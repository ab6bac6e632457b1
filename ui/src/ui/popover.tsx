import { lazy, type ReactElement, type ReactNode, Suspense, useState } from 'react';

export interface PopoverProps {
  opened: boolean;
  onChange: (opened: boolean) => void;
  target: ReactElement;
  children: ReactNode;
  width?: number | string;
  position?: 'bottom-start' | 'bottom-end' | 'bottom';
  padding?: number;
}

const Impl = lazy(() => import('./popover-impl').then((module) => ({ default: module.PopoverImpl })));

/** A panel at a button; nothing of it is loaded before it first opens. */
export function Popover(props: PopoverProps) {
  const [used, setUsed] = useState(props.opened);
  if (props.opened && !used) setUsed(true);
  if (!used) return props.target;
  return (
    <Suspense fallback={props.target}>
      <Impl {...props} />
    </Suspense>
  );
}
