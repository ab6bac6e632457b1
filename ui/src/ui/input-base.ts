import type { CSSProperties, FocusEventHandler, ReactNode } from 'react';

/** What every input of this folder takes. `size="lg"` is for forms, the default for work surfaces. */
export interface InputProps {
  label?: ReactNode;
  description?: ReactNode;
  error?: ReactNode;
  placeholder?: string;
  required?: boolean;
  disabled?: boolean;
  readOnly?: boolean;
  size?: 'sm' | 'lg';
  autoFocus?: boolean;
  className?: string;
  style?: CSSProperties;
  name?: string;
  inputMode?: 'numeric' | 'text';
  id?: string;
  'aria-label'?: string;
  leftSection?: ReactNode;
  rightSection?: ReactNode;
  onBlur?: FocusEventHandler<HTMLInputElement | HTMLTextAreaElement>;
}

export const inputSize = (size: 'sm' | 'lg' | undefined): 'sm' | 'md' => (size === 'lg' ? 'md' : 'sm');

/** Keys while an input method is composing belong to it: Enter picks a word there and must not submit. */
export const isComposing = (event: { nativeEvent: { isComposing?: boolean }; keyCode?: number }): boolean =>
  event.nativeEvent.isComposing === true || event.keyCode === 229;
