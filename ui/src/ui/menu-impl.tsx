import '@mantine/core/styles/Paper.layer.css';
import '@mantine/core/styles/Popover.layer.css';
import '@mantine/core/styles/Menu.layer.css';
import { Menu as MantineMenu } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { useRef } from 'react';
import { MantineScope } from './mantine-scope';
import type { MenuProps } from './menu';

/** Opened from the start: it is loaded by the click that asks for it. */
export function MenuImpl({ target, entries, position = 'bottom-end', width }: MenuProps) {
  const box = useRef<HTMLSpanElement>(null);
  // The first click happened on a button that stood in for this one: focus has nowhere to return to by itself.
  const back = () => {
    if (document.activeElement === document.body) box.current?.querySelector('button')?.focus();
  };
  return (
    <MantineScope>
      <MantineMenu
        defaultOpened
        withInitialFocusPlaceholder={false}
        onClose={() => setTimeout(back)}
        position={position}
        {...(width !== undefined && { width })}
      >
        <span ref={box} style={{ display: 'contents' }}>
          <MantineMenu.Target>{target}</MantineMenu.Target>
        </span>
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
    </MantineScope>
  );
}
