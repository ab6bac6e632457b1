import { IconCheck } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Fragment, type MouseEvent, type ReactNode, useRef } from 'react';
import { type Field, type RecordData, recordInfiniteQuery } from '@/api';
import { type FieldContext, isEmptyValue, kindOf, useFieldContext } from '@/fields';
import { useTranslation } from '@/i18n';
import { Avatar, Button, ErrorState, Skeleton } from '@/ui';
import { cellValue } from '../cell-value';
import type { GridColumn } from '../grid/columns';
import { isSelected, type Selection, toggle } from '../grid/selection';
import { useNearEnd } from '../near-end';
import css from './cards.module.css';
import { useLongPress } from './long-press';
import type { List } from './use-list';

interface Props {
  list: List;
  avatar: boolean;
  hrefOf: (record: RecordData) => string;
  onOpen: (record: RecordData, row: number) => void;
  empty: ReactNode;
  selection: Selection;
  /** Cards are for choosing, not for opening. */
  selecting: boolean;
  onSelecting: (selecting: boolean) => void;
  onSelect: (selection: Selection) => void;
}

/** What says most about a record in a few characters; numbers without their name say nothing. */
const FACTS: Partial<Record<Field['type'], number>> = {
  money: 0,
  date: 1,
  datetime: 1,
  user: 2,
  relation: 2,
  region: 3,
  text: 4,
  phone: 5,
};

/** Which columns go where on a card: a single choice at the right, tags below, three facts under the title. */
export function cardParts(columns: readonly GridColumn[]) {
  const rest = columns.slice(1);
  const rank = (column: GridColumn) => FACTS[column.field.type] ?? 9;
  return {
    state: rest.find((column) => column.field.type === 'choice'),
    pills: rest.find((column) => column.field.type === 'tags' || column.field.type === 'multi_choice'),
    facts: rest
      .filter((column) => rank(column) < 9)
      .sort((left, right) => rank(left) - rank(right))
      .slice(0, 3),
  };
}

function Card({
  record,
  parts,
  context,
  avatar,
  href,
  chosen,
  onOpen,
  onToggle,
  onHold,
}: {
  record: RecordData;
  parts: ReturnType<typeof cardParts>;
  context: FieldContext;
  avatar: boolean;
  href: string;
  /** Null while cards are opened by a press. */
  chosen: boolean | null;
  onOpen: () => void;
  onToggle: () => void;
  onHold: () => void;
}) {
  const { t } = useTranslation('records');
  const hold = useLongPress(onHold);
  const show = (column: GridColumn | undefined) => {
    if (column === undefined) return null;
    const value = cellValue(record, column.key);
    return isEmptyValue(value) ? null : kindOf(column.field.type).display(value, column.field, context);
  };
  const facts = parts.facts.map((column) => [column.key, show(column)] as const).filter(([, shown]) => shown !== null);
  const pills = show(parts.pills);
  const content = (
    <>
      <span className={css.top}>
        {chosen !== null && (
          <span className={css.check} data-on={chosen || undefined} aria-hidden>
            {chosen && <IconCheck size={14} stroke={2.4} />}
          </span>
        )}
        {avatar && <Avatar name={record.title} size={34} />}
        <span className={css.main}>
          <span className={css.title}>{record.title || record.id}</span>
          <span className={css.facts}>
            {facts.map(([key, shown], at) => (
              <Fragment key={key}>
                {at > 0 && <span aria-hidden>{'\u00b7'}</span>}
                <span className={at === facts.length - 1 ? 'truncate' : css.fact}>{shown}</span>
              </Fragment>
            ))}
          </span>
        </span>
        <span className={css.state}>{show(parts.state)}</span>
      </span>
      {pills !== null && <span className={css.pills}>{pills}</span>}
    </>
  );
  if (chosen !== null)
    return (
      // biome-ignore lint/a11y/useSemanticElements: the whole card is what is pressed.
      <button
        type="button"
        role="checkbox"
        aria-checked={chosen}
        aria-label={t('records:cards.selectOne', { name: record.title || record.id })}
        className={css.card}
        onClick={onToggle}
      >
        {content}
      </button>
    );
  return (
    <a
      className={css.card}
      href={href}
      {...hold.handlers}
      onClick={(event: MouseEvent) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        if (!hold.taken()) onOpen();
      }}
    >
      {content}
    </a>
  );
}

/** The list on a phone. */
export function Cards({ list, avatar, hrefOf, onOpen, empty, selection, selecting, onSelecting, onSelect }: Props) {
  const { t } = useTranslation(['records', 'common']);
  const context = useFieldContext();
  const answer = useInfiniteQuery(recordInfiniteQuery(list.object.key, { ...list.query, limit: 50 }));
  const records = answer.data?.pages.flatMap((page) => page.items) ?? [];
  const parts = cardParts(list.columns);
  // The finger that held a card lifts over what the card became: that is no press of its own. The next one begins anew.
  const lifting = useRef(false);
  const settle = () => {
    lifting.current = false;
  };
  const hold = (record: RecordData, row: number) => {
    lifting.current = true;
    for (const next of ['pointerdown', 'keydown']) addEventListener(next, settle, { once: true, capture: true });
    onSelecting(true);
    onSelect(toggle(selection, record.id, row));
  };
  const press = (record: RecordData, row: number) => {
    if (!lifting.current) onSelect(toggle(selection, record.id, row));
  };
  const sentinel = useRef<HTMLDivElement>(null);
  useNearEnd(sentinel, '600px', answer);
  if (answer.isError && records.length === 0)
    return <ErrorState error={answer.error} onRetry={() => answer.refetch()} />;
  return (
    <div className={css.cards}>
      {answer.isPending &&
        Array.from({ length: 8 }, (_, at) => (
          <div key={at} className={css.card}>
            <span className={css.top}>
              <Skeleton width={34} height={34} />
              <span className={css.main}>
                <Skeleton width="60%" />
                <Skeleton width="80%" />
              </span>
            </span>
          </div>
        ))}
      {!answer.isPending && records.length === 0 && empty}
      {records.map((record, row) => (
        <Card
          key={record.id}
          record={record}
          parts={parts}
          context={context}
          avatar={avatar}
          href={hrefOf(record)}
          chosen={selecting ? isSelected(selection, record.id) : null}
          onOpen={() => onOpen(record, row)}
          onToggle={() => press(record, row)}
          onHold={() => hold(record, row)}
        />
      ))}
      <div ref={sentinel} className={css.more}>
        {answer.isFetchingNextPage && <span className="muted">{t('common:loading')}</span>}
        {answer.isFetchNextPageError && <Button onClick={() => answer.fetchNextPage()}>{t('common:retry')}</Button>}
        {records.length > 50 && !answer.hasNextPage && <span className="muted">{t('records:cards.end')}</span>}
      </div>
    </div>
  );
}
