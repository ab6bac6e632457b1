import { type KeyboardEventHandler, lazy, type Ref, Suspense } from 'react';
import type { InputProps } from './input-base';
import { ControlSkeleton } from './skeleton';

export interface NumberInputProps extends InputProps {
  value: number | string | null;
  /** null when empty. */
  onChange: (value: number | null) => void;
  /** The digits as typed, for decimals that a float would bend (money). */
  onText?: (text: string) => void;
  min?: number;
  max?: number;
  step?: number;
  decimals?: number;
  prefix?: string;
  suffix?: string;
  controls?: boolean;
  /** Room for a left section that is more than a sign; it can be clicked then. */
  leftSectionWidth?: number;
  onKeyDown?: KeyboardEventHandler<HTMLInputElement>;
  ref?: Ref<HTMLInputElement>;
}

const Impl = lazy(() => import('./number-input-impl').then((module) => ({ default: module.NumberInputImpl })));

export function NumberInput(props: NumberInputProps) {
  return (
    <Suspense fallback={<ControlSkeleton label={props.label} />}>
      <Impl {...props} />
    </Suspense>
  );
}
