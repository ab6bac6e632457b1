import type { ReactNode } from 'react';

export interface CheckProps {
  label?: ReactNode;
  description?: ReactNode;
  checked: boolean;
  indeterminate?: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
  autoFocus?: boolean;
  'aria-label'?: string;
}
