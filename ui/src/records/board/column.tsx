import { IconArrowBarToLeft, IconChevronDown, IconGauge } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { type Condition, type RecordData, recordInfiniteQuery } from '@/api';
import type { FieldContext } from '@/fields';
import { useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { useEvent } from '@/lib/hooks';
import { Button, Dot, ErrorState, IconButton, Menu, Skeleton } from '@/ui';
import type { GridColumn } from '../grid/columns';
import type { List } from '../list/use-list';
import { joinConditions } from '../list-state';
import css from './board.module.css';
import { Card } from './card';
import type { BoardColumn } from './columns';
import type { Move } from './use-moves';

const PORTION = 30;

interface ColumnProps {
  list: List;
  column: BoardColumn;
  where: Condition;
  moves: ReadonlyMap<string, Move>;
  figure: string;
  limit: number | undefined;
  collapsed: boolean;
  over: boolean;
  movable: boolean;
  dragged: string | null;
  picked: string | null;
  targets: readonly { key: string; title: string }[];
  cards: readonly GridColumn[];
  context: FieldContext;
  avatar: boolean;
  hrefOf: (record: RecordData) => string;
  onOpen: (record: RecordData) => void;
  onMove: (record: RecordData, to: string) => void;
  onKey: (event: KeyboardEvent, record: RecordData, column: string) => void;
  onCollapse: (collapsed: boolean) => void;
  onLimit: () => void;
  remember: (records: readonly RecordData[]) => void;
}

/** True once an element was near the screen: a board of a hundred columns asks for those in sight. */
function useSeen(ref: React.RefObject<HTMLElement | null>): boolean {
  const [seen, setSeen] = useState(typeof IntersectionObserver === 'undefined');
  useEffect(() => {
    const element = ref.current;
    if (element === null || seen) return;
    const observer = new IntersectionObserver((found) => found.some((entry) => entry.isIntersecting) && setSeen(true), {
      rootMargin: '0px 400px',
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref, seen]);
  return seen;
}

export function Column(props: ColumnProps) {
  const { list, column, moves, context } = props;
  const { t } = useTranslation(['views', 'common', 'layouts']);
  const box = useRef<HTMLElement>(null);
  const scroller = useRef<HTMLUListElement>(null);
  const seen = useSeen(box);
  const { where: _, limit: __, total: ___, ...question } = list.query;
  const answer = useInfiniteQuery({
    ...recordInfiniteQuery(list.object.key, {
      ...question,
      where: joinConditions(list.state.where, props.where) ?? props.where,
      limit: PORTION,
    }),
    enabled: seen && !props.collapsed,
  });
  const fetched = answer.data?.pages.flatMap((page) => page.items) ?? [];
  const { remember } = props;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the pages are what was fetched.
  useEffect(() => remember(fetched), [answer.data, remember]);
  const here = fetched.filter((record) => (moves.get(record.id)?.to ?? column.key) === column.key);
  const arrived = [...moves.values()]
    .filter((move) => move.to === column.key && !here.some((record) => record.id === move.record.id))
    .map((move) => move.record);
  const records = [...arrived, ...here];
  let count = column.count;
  for (const move of moves.values()) {
    if (move.from === move.to) continue;
    if (move.to === column.key) count += 1;
    if (move.from === column.key) count -= 1;
  }
  const tooMany = props.limit !== undefined && props.limit > 0 && count > props.limit;
  const more = useEvent(() => {
    const element = scroller.current;
    if (element === null || !answer.hasNextPage || answer.isFetchingNextPage || answer.isFetchNextPageError) return;
    if (element.scrollHeight - element.scrollTop - element.clientHeight < 500) answer.fetchNextPage();
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: what came may not fill the column yet.
  useEffect(() => more(), [answer.data, more]);
  const countText = props.limit
    ? `${context.fmt.number(count)} / ${context.fmt.number(props.limit)}`
    : context.fmt.number(count);
  const title = column.color === undefined ? column.title : <Dot color={column.color}>{column.title}</Dot>;

  if (props.collapsed)
    return (
      <section
        ref={box}
        className={css.narrow}
        data-drop={column.key}
        data-over={props.over || undefined}
        aria-label={column.title}
      >
        <button
          type="button"
          className={css.narrowButton}
          aria-expanded={false}
          aria-label={t('layouts:board.expand', { name: column.title })}
          onClick={() => props.onCollapse(false)}
        >
          <span className={css.narrowCount}>{countText}</span>
          <span className={css.narrowTitle}>{column.title}</span>
        </button>
      </section>
    );
  return (
    <section
      ref={box}
      className={css.column}
      data-drop={column.key}
      data-over={props.over || undefined}
      aria-label={column.title}
    >
      <header className={css.head}>
        <h3 className={css.headTitle}>{title}</h3>
        <span
          className={cx(css.count, tooMany && css.tooMany)}
          title={tooMany ? t('layouts:board.over', { limit: props.limit }) : undefined}
        >
          {countText}
          {tooMany && <span className="sr-only"> {t('layouts:board.over', { limit: props.limit })}</span>}
        </span>
        {props.figure !== '' && <span className={css.figure}>{props.figure}</span>}
        <Menu
          position="bottom-end"
          target={
            <IconButton
              size="sm"
              tooltip={false}
              label={t('layouts:board.columnMenu', { name: column.title })}
              icon={<IconChevronDown size={15} />}
            />
          }
          entries={[
            { label: t('layouts:board.limit'), icon: <IconGauge size={15} />, onSelect: props.onLimit },
            {
              label: t('layouts:board.collapse'),
              icon: <IconArrowBarToLeft size={15} />,
              onSelect: () => props.onCollapse(true),
            },
          ]}
        />
      </header>
      <ul ref={scroller} className={css.cards} data-drop-scroll data-column={column.key} onScroll={more}>
        {(answer.isPending || !seen) &&
          records.length === 0 &&
          Array.from({ length: Math.min(4, Math.max(1, column.count)) }, (_, at) => (
            <li key={at} className={css.card} aria-hidden>
              <Skeleton width="70%" />
              <Skeleton width="50%" />
            </li>
          ))}
        {records.map((record) => (
          <Card
            key={record.id}
            record={record}
            href={props.hrefOf(record)}
            avatar={props.avatar}
            columns={props.cards}
            context={context}
            movable={props.movable}
            dragged={props.dragged === record.id}
            picked={props.picked === record.id}
            targets={props.targets}
            here={column.key}
            onOpen={props.onOpen}
            onMove={props.onMove}
            onKey={(event, held) => props.onKey(event, held, column.key)}
          />
        ))}
        {answer.isSuccess && records.length === 0 && <li className={css.none}>{t('layouts:board.empty')}</li>}
        {answer.isError && records.length === 0 && (
          <li>
            <ErrorState compact error={answer.error} onRetry={() => answer.refetch()} />
          </li>
        )}
        {answer.isFetchingNextPage && <li className={css.none}>{t('common:loading')}</li>}
        {answer.isFetchNextPageError && (
          <li className={css.none}>
            <Button onClick={() => answer.fetchNextPage()}>{t('common:retry')}</Button>
          </li>
        )}
      </ul>
    </section>
  );
}
