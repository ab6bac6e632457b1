import '@mantine/core/styles/Paper.layer.css';
import '@mantine/core/styles/Popover.layer.css';
import { Popover as MantinePopover } from '@mantine/core';
import { Suspense } from 'react';
import { MantineScope } from './mantine-scope';
import type { PopoverProps } from './popover';
import { SkeletonRows } from './skeleton';

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
    <MantineScope>
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
        <MantinePopover.Dropdown style={{ padding }}>
          <Suspense fallback={<SkeletonRows rows={4} />}>{children}</Suspense>
        </MantinePopover.Dropdown>
      </MantinePopover>
    </MantineScope>
  );
}
