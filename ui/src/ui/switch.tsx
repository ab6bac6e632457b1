import '@mantine/core/styles/InlineInput.layer.css';
import '@mantine/core/styles/Switch.layer.css';
import { Switch as MantineSwitch } from '@mantine/core';
import type { CheckProps } from './check';

export function Switch({ onChange, indeterminate: _, ...rest }: CheckProps) {
  return (
    <MantineSwitch
      size="sm"
      withThumbIndicator={false}
      {...rest}
      onChange={(event) => onChange(event.currentTarget.checked)}
    />
  );
}
