import { lazy, Suspense } from 'react';
import type { InputProps } from './input-base';
import { ControlSkeleton } from './skeleton';

/** Days are text "2026-11-11": no clock, no zone. */
export interface DatePickerProps extends Omit<InputProps, 'onBlur' | 'name'> {
  value: string | null;
  onChange: (value: string | null) => void;
  clearable?: boolean;
  minDate?: string;
  maxDate?: string;
  defaultOpened?: boolean;
}
export interface DateRangePickerProps extends Omit<InputProps, 'onBlur' | 'name'> {
  value: [string | null, string | null];
  onChange: (value: [string | null, string | null]) => void;
  clearable?: boolean;
}

const Single = lazy(() => import('./date-picker-impl').then((module) => ({ default: module.DatePickerImpl })));
const Range = lazy(() => import('./date-picker-impl').then((module) => ({ default: module.DateRangePickerImpl })));

export function DatePicker(props: DatePickerProps) {
  return (
    <Suspense fallback={<ControlSkeleton label={props.label} />}>
      <Single {...props} />
    </Suspense>
  );
}
export function DateRangePicker(props: DateRangePickerProps) {
  return (
    <Suspense fallback={<ControlSkeleton label={props.label} />}>
      <Range {...props} />
    </Suspense>
  );
}
