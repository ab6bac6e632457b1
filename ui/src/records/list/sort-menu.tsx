import { IconArrowsSort } from '@tabler/icons-react';
import { lazy, useState } from 'react';
import type { Sort } from '@/api';
import { useTranslation } from '@/i18n';
import { Button, IconButton, Popover } from '@/ui';
import { sortKey, sortOf } from '../list-state';
import type { List } from './use-list';

const SortPanel = lazy(() => import('./sort-panel').then((module) => ({ default: module.SortPanel })));

export const MOST_SORTS = 4;

/** A click on a header sorts by it: downwards or upwards, then the other way; with Shift it is added. */
export function nextSort(sort: readonly Sort[], key: string, add: boolean, descFirst: boolean): Sort[] {
  const at = sort.findIndex((candidate) => sortKey(candidate) === key);
  const old = sort[at];
  const next = sortOf(key, old === undefined ? descFirst : old.desc !== true);
  if (!add) return [next];
  if (old !== undefined) return sort.map((candidate, index) => (index === at ? next : candidate));
  return [...sort, next].slice(-MOST_SORTS);
}

export function SortMenu({ list, compact }: { list: List; compact?: boolean }) {
  const { t } = useTranslation('records');
  const [opened, setOpened] = useState(false);

  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      width={300}
      padding={0}
      target={
        compact ? (
          <IconButton
            kind="default"
            label={t('records:sort.title')}
            icon={<IconArrowsSort size={17} />}
            aria-expanded={opened}
            aria-haspopup="dialog"
            onClick={() => setOpened(!opened)}
          />
        ) : (
          <Button
            icon={<IconArrowsSort size={15} />}
            aria-expanded={opened}
            aria-haspopup="dialog"
            onClick={() => setOpened(!opened)}
          >
            {t('records:sort.title')}
          </Button>
        )
      }
    >
      <SortPanel list={list} />
    </Popover>
  );
}
