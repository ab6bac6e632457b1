import { IconArrowDown, IconArrowUp, IconPlus, IconX } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import type { Sort } from '@/api';
import { useLanguage, useTranslation } from '@/i18n';
import { matchScore } from '@/lib/match';
import { findField } from '@/metadata';
import { Button, IconButton, SearchInput } from '@/ui';
import { columnCatalogue } from '../grid/columns';
import { sortKey, sortOf } from '../list-state';
import css from './list.module.css';
import { MOST_SORTS } from './sort-menu';
import { type List, useColumnName } from './use-list';

/** By what, in which order, and everything that could be sorted by. */
export function SortPanel({ list }: { list: List }) {
  const { t } = useTranslation(['records', 'common']);
  const language = useLanguage();
  const nameOf = useColumnName(list.object, list.traits);
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
            {sort.length < MOST_SORTS && (
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
  );
}
