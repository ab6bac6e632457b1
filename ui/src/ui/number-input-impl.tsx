import '@mantine/core/styles/Input.layer.css';
import '@mantine/core/styles/NumberInput.layer.css';
import { NumberInput as MantineNumberInput } from '@mantine/core';
import { inputSize } from './input-base';
import { MantineScope } from './mantine-scope';
import type { NumberInputProps } from './number-input';

export function NumberInputImpl({
  value,
  onChange,
  onText,
  decimals,
  controls = false,
  leftSectionWidth,
  size,
  ...rest
}: NumberInputProps) {
  return (
    <MantineScope>
      <MantineNumberInput
        {...rest}
        size={inputSize(size)}
        value={value ?? ''}
        hideControls={!controls}
        thousandSeparator=","
        {...(leftSectionWidth !== undefined && { leftSectionWidth, leftSectionPointerEvents: 'all' as const })}
        {...(decimals !== undefined && { decimalScale: decimals })}
        onValueChange={({ value: text, floatValue }) => {
          onText?.(text);
          onChange(floatValue ?? null);
        }}
      />
    </MantineScope>
  );
}
