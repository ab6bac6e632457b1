import { IconArrowDown, IconArrowUp, IconGripVertical, IconX } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { labelText, useLanguage, useTranslation } from '@/i18n';
import { useDrag } from '@/lib/drag';
import { matchScore } from '@/lib/match';
import { Checkbox, IconButton, SearchInput } from '@/ui';
import { columnCatalogue, moveColumn, toggleColumn } from '../grid/columns';
import css from './list.module.css';
import type { List } from './use-list';

/** Which columns, in which order. Everything that dragging a header does can be done here with keys. */
export function ColumnPanel({ list }: { list: List }) {
  const { t } = useTranslation(['records', 'fields', 'common']);
  const language = useLanguage();
  const [search, setSearch] = useState('');
  const catalogue = useMemo(
    () => columnCatalogue(list.object, list.traits, language),
    [list.object, list.traits, language],
  );
  const keys = list.columns.map((column) => column.key);
  const change = (columns: string[]) => list.set({ columns });
  const { dragging, root, handlers } = useDrag(css.dragged ?? '', (key, zone) =>
    change(moveColumn(keys, key, keys.indexOf(zone))),
  );
  const found = catalogue
    .map((group) => ({
      ...group,
      title:
        group.label === null ? t(`fields:section.${group.key}`, { defaultValue: group.key }) : labelText(group.label),
      columns: group.columns.filter((column) => matchScore(search, column) > 0),
    }))
    .filter((group) => group.columns.length > 0);

  return (
    <div className={css.chooser}>
      <SearchInput
        value={search}
        onChange={setSearch}
        placeholder={t('records:columns.search')}
        aria-label={t('records:columns.search')}
        autoFocus
      />
      <div ref={root} className={css.chooserBody} {...handlers}>
        {search === '' && (
          <section>
            <h3 className={css.chooserHead}>{t('records:columns.shown', { count: keys.length })}</h3>
            {list.columns.map((column, at) => (
              <div
                key={column.key}
                className={css.chosen}
                data-drag={at > 0 ? column.key : undefined}
                data-drop={at > 0 ? column.key : undefined}
                data-over={(dragging !== null && dragging.zone === column.key) || undefined}
              >
                {at > 0 && <IconGripVertical size={14} className={css.grip} aria-hidden />}
                <span className="truncate grow">{column.label}</span>
                {at > 0 && (
                  <>
                    <IconButton
                      size="sm"
                      tooltip={false}
                      disabled={at === 1}
                      label={t('records:columns.up', { name: column.label })}
                      icon={<IconArrowUp size={14} />}
                      onClick={() => change(moveColumn(keys, column.key, at - 1))}
                    />
                    <IconButton
                      size="sm"
                      tooltip={false}
                      disabled={at === keys.length - 1}
                      label={t('records:columns.down', { name: column.label })}
                      icon={<IconArrowDown size={14} />}
                      onClick={() => change(moveColumn(keys, column.key, at + 1))}
                    />
                    <IconButton
                      size="sm"
                      tooltip={false}
                      label={t('records:columns.hide', { name: column.label })}
                      icon={<IconX size={14} />}
                      onClick={() => change(toggleColumn(keys, column.key))}
                    />
                  </>
                )}
              </div>
            ))}
          </section>
        )}
        {found.map((group) => (
          <section key={group.key}>
            <h3 className={css.chooserHead}>{group.title}</h3>
            {group.columns.map((column) => (
              <div key={column.key} className={css.option}>
                <Checkbox
                  label={column.label}
                  checked={keys.includes(column.key)}
                  disabled={column.key === list.object.title_field}
                  onChange={() => change(toggleColumn(keys, column.key))}
                />
              </div>
            ))}
          </section>
        ))}
        {found.length === 0 && <p className={css.chooserNone}>{t('common:nothingFound')}</p>}
      </div>
    </div>
  );
}
