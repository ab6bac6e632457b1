import { IconColumns3 } from '@tabler/icons-react';
import { lazy, useState } from 'react';
import { useTranslation } from '@/i18n';
import { Button, Popover } from '@/ui';
import type { List } from './use-list';

const ColumnPanel = lazy(() => import('./column-panel').then((module) => ({ default: module.ColumnPanel })));

export function ColumnChooser({ list }: { list: List }) {
  const { t } = useTranslation('records');
  const [opened, setOpened] = useState(false);
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      position="bottom-end"
      width={300}
      padding={0}
      target={
        <Button
          kind="subtle"
          icon={<IconColumns3 size={15} />}
          aria-expanded={opened}
          aria-haspopup="dialog"
          onClick={() => setOpened(!opened)}
        >
          {t('records:columns.title')}
        </Button>
      }
    >
      <ColumnPanel list={list} />
    </Popover>
  );
}
