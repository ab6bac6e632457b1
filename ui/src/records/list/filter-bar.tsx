import { IconAdjustmentsHorizontal, IconListCheck, IconUsersPlus, IconX } from '@tabler/icons-react';
import { lazy, Suspense, useEffect, useState } from 'react';
import type { Condition } from '@/api';
import { useTranslation } from '@/i18n';
import { useDebounced, useEvent } from '@/lib/hooks';
import { useCan } from '@/metadata';
import { Button, ButtonLink, IconButton, SearchInput, Skeleton } from '@/ui';
import { useSentence } from '../conditions/sentence';
import { countConditions, isAll } from '../conditions/tree';
import { encodeCondition } from '../conditions/url';
import { ColumnChooser } from './column-chooser';
import css from './list.module.css';
import { SortMenu } from './sort-menu';
import type { List } from './use-list';
import { KindSwitch, ViewSettings } from './view-controls';

const FilterDrawer = lazy(() => import('./filter-drawer').then((module) => ({ default: module.FilterDrawer })));

const parts = (where: Condition | null): Condition[] => {
  if (where === null) return [];
  return isAll(where) ? where.all : [where];
};

/** One condition of the filter, in the server's words once they are there. */
function Chip({
  list,
  condition,
  onOpen,
  onRemove,
}: {
  list: List;
  condition: Condition;
  onOpen: () => void;
  onRemove: () => void;
}) {
  const { t } = useTranslation(['records', 'common']);
  const sentence = useSentence(list.object.key, condition);
  const text = sentence ?? t('common:loading');
  return (
    <span className={css.chip}>
      <button type="button" className={css.chipText} title={text} onClick={onOpen}>
        {sentence ?? <Skeleton width={96} />}
      </button>
      <button type="button" className={css.chipX} aria-label={t('records:filter.remove', { text })} onClick={onRemove}>
        <IconX size={13} />
      </button>
    </span>
  );
}

function QuickSearch({ list }: { list: List }) {
  const { t } = useTranslation('records');
  const [text, setText] = useState(list.state.q);
  const settled = useDebounced(text, 250);
  const send = useEvent((q: string) => {
    if (q !== list.state.q) list.setSearch({ q: q === '' ? undefined : q }, true);
  });
  useEffect(() => send(settled.trim()), [settled, send]);
  // Cleared from elsewhere (another view, "clear filters").
  const fromAddress = useEvent((q: string) => {
    if (q !== settled.trim()) setText(q);
  });
  useEffect(() => fromAddress(list.state.q), [list.state.q, fromAddress]);
  return (
    <SearchInput
      className={css.quick ?? ''}
      value={text}
      onChange={setText}
      placeholder={t('records:filter.search')}
      aria-label={t('records:filter.search')}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && text !== '') {
          event.stopPropagation();
          setText('');
        }
      }}
    />
  );
}

interface Props {
  list: List;
  phone: boolean;
  fromText: string | null;
  /** On a phone: cards are being chosen. */
  selecting: boolean;
  onSelecting: (selecting: boolean) => void;
}

export function FilterBar({ list, phone, fromText, selecting, onSelecting }: Props) {
  const { t } = useTranslation('records');
  const can = useCan();
  const [opened, setOpened] = useState(false);
  const { where } = list.state;
  const conditions = parts(where);
  const count = where === null ? 0 : countConditions(where);
  const remove = (at: number) => {
    const rest = conditions.filter((_, index) => index !== at);
    if (rest.length === 0) list.set({ where: null });
    else list.set({ where: rest.length === 1 ? (rest[0] ?? null) : { all: rest } });
  };
  const chips = conditions.length > 0 || fromText !== null;
  return (
    <>
      <div className={css.bar}>
        <QuickSearch list={list} />
        {phone && count === 0 ? (
          <IconButton
            kind="default"
            label={t('records:filter.title')}
            icon={<IconAdjustmentsHorizontal size={17} />}
            aria-haspopup="dialog"
            onClick={() => setOpened(true)}
          />
        ) : (
          <Button icon={<IconAdjustmentsHorizontal size={15} />} aria-haspopup="dialog" onClick={() => setOpened(true)}>
            <span className={phone ? 'sr-only' : undefined}>{t('records:filter.title')}</span>
            {count > 0 && <span className={css.badge}>{count}</span>}
          </Button>
        )}
        <SortMenu list={list} compact={phone} />
        {phone && !list.state.deleted && (
          <Suspense>
            <KindSwitch list={list} compact />
            {list.state.kind !== 'list' && <ViewSettings list={list} compact />}
          </Suspense>
        )}
        {phone && (list.state.kind === 'list' || list.state.deleted) && (
          <IconButton
            kind="default"
            label={selecting ? t('records:cards.done') : t('records:cards.select')}
            icon={selecting ? <IconX size={17} /> : <IconListCheck size={17} />}
            active={selecting}
            onClick={() => onSelecting(!selecting)}
          />
        )}
        {!phone && (
          <>
            <span className="grow" />
            {list.object.key === 'customer' && where !== null && !list.state.deleted && can('segment.write') && (
              <ButtonLink
                kind="subtle"
                icon={<IconUsersPlus size={15} />}
                to="/segments/new"
                search={{ where: encodeCondition(where) }}
              >
                {t('records:filter.saveSegment')}
              </ButtonLink>
            )}
            {!list.state.deleted && (
              <Suspense>
                <ViewSettings list={list} compact={false} />
              </Suspense>
            )}
            <ColumnChooser list={list} />
            {!list.state.deleted && (
              <Suspense>
                <KindSwitch list={list} compact={false} />
              </Suspense>
            )}
          </>
        )}
      </div>
      {chips && (
        <div className={css.chips}>
          {conditions.map((condition, at) => (
            <Chip
              key={JSON.stringify(condition)}
              list={list}
              condition={condition}
              onOpen={() => setOpened(true)}
              onRemove={() => remove(at)}
            />
          ))}
          {fromText !== null && (
            <span className={css.chip}>
              <span className={css.chipText}>{fromText}</span>
              <button
                type="button"
                className={css.chipX}
                aria-label={t('records:filter.remove', { text: fromText })}
                onClick={() => list.setFrom(undefined)}
              >
                <IconX size={13} />
              </button>
            </span>
          )}
          <button
            type="button"
            className={css.clearAll}
            onClick={() => {
              list.set({ where: null });
              if (fromText !== null) list.setFrom(undefined);
            }}
          >
            {t('records:filter.clear')}
          </button>
        </div>
      )}
      <Suspense>{opened && <FilterDrawer list={list} onClose={() => setOpened(false)} />}</Suspense>
    </>
  );
}
