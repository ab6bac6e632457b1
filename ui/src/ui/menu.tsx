import '@mantine/core/styles/Paper.layer.css';
import '@mantine/core/styles/Popover.layer.css';
import '@mantine/core/styles/Menu.layer.css';
import { Menu as MantineMenu } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import type { ReactElement, ReactNode } from 'react';

export type MenuEntry =
  | { divider: true }
  | { heading: ReactNode }
  | {
      label: ReactNode;
      icon?: ReactNode;
      hint?: ReactNode;
      danger?: boolean;
      disabled?: boolean;
      checked?: boolean;
      keepOpen?: boolean;
      onSelect: () => void;
    };

interface MenuProps {
  target: ReactElement;
  entries: readonly MenuEntry[];
  position?: 'bottom-start' | 'bottom-end' | 'top-start' | 'right-end';
  width?: number | 'target';
}

export function Menu({ target, entries, position = 'bottom-end', width }: MenuProps) {
  return (
    <MantineMenu position={position} {...(width !== undefined && { width })}>
      <MantineMenu.Target>{target}</MantineMenu.Target>
      <MantineMenu.Dropdown miw={150}>
        {entries.map((entry, at) => {
          if ('divider' in entry) return <MantineMenu.Divider key={at} />;
          if ('heading' in entry) return <MantineMenu.Label key={at}>{entry.heading}</MantineMenu.Label>;
          return (
            <MantineMenu.Item
              key={at}
              leftSection={entry.icon}
              rightSection={entry.checked ? <IconCheck size={14} /> : entry.hint}
              color={entry.danger ? 'var(--danger)' : undefined}
              disabled={entry.disabled}
              closeMenuOnClick={entry.keepOpen !== true}
              onClick={entry.onSelect}
            >
              {entry.label}
            </MantineMenu.Item>
          );
        })}
      </MantineMenu.Dropdown>
    </MantineMenu>
  );
}
