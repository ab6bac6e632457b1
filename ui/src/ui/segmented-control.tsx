import '@mantine/core/styles/FloatingIndicator.layer.css';
import '@mantine/core/styles/SegmentedControl.layer.css';
import { SegmentedControl as MantineSegmentedControl } from '@mantine/core';
import type { ReactNode } from 'react';

interface SegmentedProps<T extends string> {
  value: T;
  onChange: (value: T) => void;
  options: readonly { value: T; label: ReactNode; disabled?: boolean }[];
  label: string;
  fullWidth?: boolean;
  disabled?: boolean;
}
export function SegmentedControl<T extends string>({
  value,
  onChange,
  options,
  label,
  fullWidth,
  disabled,
}: SegmentedProps<T>) {
  return (
    <MantineSegmentedControl
      aria-label={label}
      value={value}
      onChange={(next) => onChange(next as T)}
      data={[...options]}
      transitionDuration={0}
      fullWidth={fullWidth}
      disabled={disabled}
      withItemsBorders={false}
    />
  );
}
