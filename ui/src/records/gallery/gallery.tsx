import { useInfiniteQuery } from '@tanstack/react-query';
import { type KeyboardEvent, type MouseEvent, type ReactNode, useRef } from 'react';
import { type RecordData, recordInfiniteQuery, thumbnailUrl } from '@/api';
import { useFieldContext } from '@/fields';
import { useTranslation } from '@/i18n';
import { Avatar, Button, ErrorState, Skeleton } from '@/ui';
import { CardFacts } from '../board/card';
import type { List } from '../list/use-list';
import { useNearEnd } from '../near-end';
import { hasAvatar, pictureOf } from '../title';
import css from './gallery.module.css';

interface Props {
  list: List;
  label: string;
  hrefOf: (record: RecordData) => string;
  onOpen: (record: RecordData) => void;
  empty: ReactNode;
}

const PORTION = 60;
const MOST_FACTS = 8;

function Cover({ picture }: { picture: string | undefined }) {
  if (picture === undefined) return <span className={css.cover} aria-hidden />;
  return <img className={css.cover} src={thumbnailUrl(picture)} alt="" loading="lazy" decoding="async" />;
}

/** Records as cards with the chosen fields, as many in a row as there is room. */
export function Gallery({ list, label, hrefOf, onOpen, empty }: Props) {
  const { t } = useTranslation(['views', 'common']);
  const context = useFieldContext();
  const answer = useInfiniteQuery(recordInfiniteQuery(list.object.key, { ...list.query, limit: PORTION }));
  const records = answer.data?.pages.flatMap((page) => page.items) ?? [];
  const avatar = hasAvatar(list.object);
  const pictured = list.columns.some((column) => column.field.type === 'image');
  const facts = list.columns.slice(1).filter((column) => column.field.type !== 'image');
  const end = useRef<HTMLLIElement>(null);
  useNearEnd(end, '800px', answer);
  const onKey = (event: KeyboardEvent<HTMLUListElement>) => {
    const cards = [...event.currentTarget.querySelectorAll<HTMLElement>('a')];
    const at = cards.indexOf(event.target as HTMLElement);
    if (at < 0) return;
    const top = cards[0]?.offsetTop;
    const inRow = Math.max(1, cards.filter((card) => card.offsetTop === top).length);
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -inRow, ArrowDown: inRow }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    cards[at + step]?.focus();
  };
  if (answer.isError && records.length === 0)
    return (
      <div className={css.center}>
        <ErrorState error={answer.error} onRetry={() => answer.refetch()} />
      </div>
    );
  if (answer.isSuccess && records.length === 0) return <div className={css.center}>{empty}</div>;
  return (
    <ul className={css.gallery} aria-label={label} aria-busy={answer.isPending} onKeyDown={onKey}>
      {answer.isPending &&
        Array.from({ length: 12 }, (_, at) => (
          <li key={at} className={css.card} aria-hidden>
            <Skeleton width="60%" />
            <Skeleton width="90%" />
            <Skeleton width="80%" />
          </li>
        ))}
      {records.map((record) => (
        <li key={record.id}>
          <a
            className={css.card}
            href={hrefOf(record)}
            onClick={(event: MouseEvent) => {
              if (event.metaKey || event.ctrlKey || event.shiftKey) return;
              event.preventDefault();
              onOpen(record);
            }}
          >
            {pictured && <Cover picture={pictureOf(list.object, record)} />}
            <span className={css.top}>
              {avatar && !pictured && <Avatar name={record.title} size={30} />}
              <span className={css.title}>{record.title || record.id}</span>
            </span>
            <CardFacts record={record} columns={facts} context={context} most={MOST_FACTS} />
          </a>
        </li>
      ))}
      <li ref={end} className={css.end}>
        {answer.isFetchingNextPage && <span className="muted">{t('common:loading')}</span>}
        {answer.isFetchNextPageError && <Button onClick={() => answer.fetchNextPage()}>{t('common:retry')}</Button>}
      </li>
    </ul>
  );
}
