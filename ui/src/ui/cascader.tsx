import { lazy, Suspense } from 'react';
import type { InputProps } from './input-base';
import { ControlSkeleton } from './skeleton';

export interface CascaderOption {
  value: string;
  label: string;
  children?: CascaderOption[];
}
export interface CascaderProps extends Omit<InputProps, 'onBlur'> {
  options: CascaderOption[];
  /** The path from the root; any level may be chosen. */
  value: string[] | null;
  onChange: (value: string[] | null) => void;
  clearable?: boolean;
  defaultOpened?: boolean;
  onClosed?: () => void;
}

const Impl = lazy(() => import('./cascader-impl').then((module) => ({ default: module.CascaderImpl })));

export function Cascader(props: CascaderProps) {
  return (
    <Suspense fallback={<ControlSkeleton label={props.label} />}>
      <Impl {...props} />
    </Suspense>
  );
}
