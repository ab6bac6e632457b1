import '@mantine/core/styles/InlineInput.layer.css';
import '@mantine/core/styles/Checkbox.layer.css';
import { Checkbox as MantineCheckbox } from '@mantine/core';
import type { CheckProps } from './check';

export function Checkbox({ onChange, ...rest }: CheckProps) {
  return <MantineCheckbox size="xs" {...rest} onChange={(event) => onChange(event.currentTarget.checked)} />;
}
