import '@mantine/core/styles/NumberInput.layer.css';
import { NumberInput as MantineNumberInput } from '@mantine/core';
import type { KeyboardEventHandler, Ref } from 'react';
import { type InputProps, inputSize } from './input-base';

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
  onKeyDown?: KeyboardEventHandler<HTMLInputElement>;
  ref?: Ref<HTMLInputElement>;
}
export function NumberInput({ value, onChange, onText, decimals, controls = false, size, ...rest }: NumberInputProps) {
  return (
    <MantineNumberInput
      {...rest}
      size={inputSize(size)}
      value={value ?? ''}
      hideControls={!controls}
      thousandSeparator=","
      {...(decimals !== undefined && { decimalScale: decimals })}
      onValueChange={({ value: text, floatValue }) => {
        onText?.(text);
        onChange(floatValue ?? null);
      }}
    />
  );
}
