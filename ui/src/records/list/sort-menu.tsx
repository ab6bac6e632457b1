import { IconArrowDown, IconArrowsSort, IconArrowUp, IconPlus, IconX } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import type { Sort } from '@/api';
import { useLanguage, useTranslation } from '@/i18n';
import { matchScore } from '@/lib/match';
import { findField } from '@/metadata';
import { Button, IconButton, Popover, SearchInput } from '@/ui';
import { columnCatalogue } from '../grid/columns';
import { sortKey, sortOf } from '../list-state';
import css from './list.module.css';
import { type List, useColumnName } from './use-list';

const MOST = 4;

/** A click on a header sorts by it: downwards or upwards, then the other way; with Shift it is added. */
export function nextSort(sort: readonly Sort[], key: string, add: boolean, descFirst: boolean): Sort[] {
  const at = sort.findIndex((candidate) => sortKey(candidate) === key);
  const old = sort[at];
  const next = sortOf(key, old === undefined ? descFirst : old.desc !== true);
  if (!add) return [next];
  if (old !== undefined) return sort.map((candidate, index) => (index === at ? next : candidate));
  return [...sort, next].slice(-MOST);
}

export function SortMenu({ list, compact }: { list: List; compact?: boolean }) {
  const { t } = useTranslation(['records', 'common']);
  const language = useLanguage();
  const nameOf = useColumnName(list.object, list.traits);
  const [opened, setOpened] = useState(false);
  const [search, setSearch] = useState('');
  const { sort } = list.state;
  const set = (next: Sort[]) => list.set({ sort: next });
  const sortable = useMemo(() => {
    const all = columnCatalogue(list.object, list.traits, language).flatMap((group) => group.columns);
    return all.filter((column) => {
      const trait = list.traits.find((candidate) => `trait.${candidate.key}` === column.key);
      return trait?.sortable ?? findField(list.object, column.key)?.sortable === true;
    });
  }, [list.object, list.traits, language]);
  const used = new Set(sort.map(sortKey));
  const offered = sortable.filter((column) => !used.has(column.key) && matchScore(search, column) > 0);

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
      <div className={css.chooser}>
        <div className={css.sortKeys}>
          {sort.map((key, at) => (
            <div key={sortKey(key)} className={css.chosen}>
              <span className="truncate grow">{nameOf(sortKey(key))}</span>
              <Button
                kind="subtle"
                icon={key.desc ? <IconArrowDown size={14} /> : <IconArrowUp size={14} />}
                onClick={() =>
                  set(sort.map((old, index) => (index === at ? sortOf(sortKey(old), old.desc !== true) : old)))
                }
              >
                {key.desc ? t('records:sort.desc') : t('records:sort.asc')}
              </Button>
              <IconButton
                size="sm"
                tooltip={false}
                disabled={sort.length === 1}
                label={t('records:sort.remove', { name: nameOf(sortKey(key)) })}
                icon={<IconX size={14} />}
                onClick={() => set(sort.filter((_, index) => index !== at))}
              />
            </div>
          ))}
        </div>
        <SearchInput
          value={search}
          onChange={setSearch}
          placeholder={t('records:sort.search')}
          aria-label={t('records:sort.search')}
        />
        <div className={css.chooserBody}>
          {offered.map((column) => (
            <div key={column.key} className={css.sortOption}>
              <button type="button" className={css.optionButton} onClick={() => set([sortOf(column.key, true)])}>
                {column.label}
              </button>
              {sort.length < MOST && (
                <IconButton
                  size="sm"
                  label={t('records:sort.add', { name: column.label })}
                  icon={<IconPlus size={14} />}
                  onClick={() => set([...sort, sortOf(column.key, true)])}
                />
              )}
            </div>
          ))}
          {offered.length === 0 && <p className={css.chooserNone}>{t('common:nothingFound')}</p>}
        </div>
      </div>
    </Popover>
  );
}
