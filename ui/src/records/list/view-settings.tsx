import { IconLayoutList, IconSettings } from '@tabler/icons-react';
import { lazy, useState } from 'react';
import { useTranslation } from '@/i18n';
import { Button, IconButton, Popover } from '@/ui';
import type { List } from './use-list';

const SettingsPanel = lazy(() => import('./settings-panel').then((module) => ({ default: module.SettingsPanel })));

/** What a table is grouped by, what makes the columns of a board, which day a calendar shows. */
export function ViewSettings({ list, compact }: { list: List; compact: boolean }) {
  const { t } = useTranslation('views');
  const [opened, setOpened] = useState(false);
  const { kind } = list.state;
  if (kind === 'cards') return null;
  const label = t(`panel.${kind}`);
  const icon = kind === 'list' ? <IconLayoutList size={15} /> : <IconSettings size={15} />;
  const press = () => setOpened(!opened);
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      position="bottom-end"
      width={300}
      target={
        compact ? (
          <IconButton
            kind="default"
            label={label}
            icon={icon}
            aria-expanded={opened}
            aria-haspopup="dialog"
            onClick={press}
          />
        ) : (
          <Button kind="subtle" icon={icon} aria-expanded={opened} aria-haspopup="dialog" onClick={press}>
            {label}
          </Button>
        )
      }
    >
      <SettingsPanel list={list} phone={compact} />
    </Popover>
  );
}
