import '@mantine/core/styles/Paper.layer.css';
import '@mantine/core/styles/Popover.layer.css';
import { Popover as MantinePopover } from '@mantine/core';
import type { PopoverProps } from './popover';

export function PopoverImpl({
  opened,
  onChange,
  target,
  children,
  width = 320,
  position = 'bottom-start',
  padding = 12,
}: PopoverProps) {
  return (
    <MantinePopover
      opened={opened}
      onChange={onChange}
      position={position}
      width={width}
      shadow="md"
      trapFocus
      withinPortal
    >
      <MantinePopover.Target>{target}</MantinePopover.Target>
      <MantinePopover.Dropdown style={{ padding }}>{children}</MantinePopover.Dropdown>
    </MantinePopover>
  );
}
