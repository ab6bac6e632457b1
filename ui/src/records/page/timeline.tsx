import {
  type Icon,
  IconArrowBackUp,
  IconArrowMerge,
  IconArrowsSplit2,
  IconCategory,
  IconFilter,
  IconNote,
  IconPencil,
  IconPlus,
  IconReceiptRefund,
  IconShoppingBag,
  IconTrash,
} from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { Change, ObjectType, Ref, TimelineEntry, TimelineKind } from '@/api';
import { timelineQuery } from '@/api';
import { type FieldContext, isEmptyValue, kindOf, useFieldContext } from '@/fields';
import { labelText, useFormat, useTranslation } from '@/i18n';
import { findField } from '@/metadata';
import { Button, EmptyState, ErrorState, SkeletonRows } from '@/ui';
import css from './timeline.module.css';

const SIGNS: Record<TimelineKind, Icon> = {
  created: IconPlus,
  updated: IconPencil,
  deleted: IconTrash,
  restored: IconArrowBackUp,
  merged: IconArrowMerge,
  unmerged: IconArrowsSplit2,
  order: IconShoppingBag,
  refund: IconReceiptRefund,
  class: IconCategory,
  segment: IconFilter,
  note: IconNote,
};

/** A changed value as text, in the words of its field. */
export function changeText(
  value: unknown,
  change: Change,
  object: ObjectType | undefined,
  context: FieldContext,
): string {
  if (isEmptyValue(value)) return '\u2013';
  const field = findField(object, change.field);
  const text = field === undefined ? '' : kindOf(field.type).text(value, field, context);
  if (text !== '') return text;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

interface EntryProps {
  entry: TimelineEntry;
  object: ObjectType | undefined;
  context: FieldContext;
  onOpenRef: (ref: Ref) => void;
}

const SHOWN = 4;

function Entry({ entry, object, context, onOpenRef }: EntryProps) {
  const fmt = useFormat();
  const Sign = SIGNS[entry.kind] ?? IconNote;
  const title = labelText(entry.title, context.language);
  const { record, amount } = entry;
  const changes = entry.kind === 'created' ? [] : (entry.changes ?? []);
  return (
    <li className={css.entry}>
      <span className={css.sign} data-kind={entry.kind}>
        <Sign size={13} stroke={1.7} aria-hidden />
      </span>
      <div className={css.text}>
        <div className={css.line}>
          {record ? (
            <button type="button" className={css.title} onClick={() => onOpenRef(record)}>
              {title}
            </button>
          ) : (
            <span className={css.title}>{title}</span>
          )}
          {amount && (
            <span className={css.amount} data-refund={entry.kind === 'refund' || undefined}>
              {entry.kind === 'refund' ? '\u2212' : ''}
              {fmt.money(amount)}
            </span>
          )}
        </div>
        {entry.actor?.name && <div className={css.by}>{entry.actor.name}</div>}
        {changes.slice(0, SHOWN).map((change) => (
          <div key={change.field} className={css.change}>
            <span>{labelText(change.label, context.language, change.field)}</span>
            <del>{changeText(change.before, change, object, context)}</del>
            <span aria-hidden>{'\u2192'}</span>
            <ins>{changeText(change.after, change, object, context)}</ins>
          </div>
        ))}
      </div>
      <time className={css.time} dateTime={entry.at} title={fmt.datetime(entry.at)}>
        {fmt.relative(entry.at)}
      </time>
    </li>
  );
}

interface Props {
  object: ObjectType;
  id: string;
  onOpenRef: (ref: Ref) => void;
  /** Known already, from the profile: shown until the whole timeline is there. */
  first?: TimelineEntry[];
}

export function Timeline({ object, id, onOpenRef, first }: Props) {
  const { t } = useTranslation('records');
  const context = useFieldContext();
  const answer = useInfiniteQuery(timelineQuery(object.key, id));
  const entries = answer.data?.pages.flatMap((page) => page.items) ?? first ?? [];
  if (answer.isError && entries.length === 0)
    return <ErrorState error={answer.error} onRetry={() => answer.refetch()} compact />;
  if (answer.isPending && entries.length === 0) return <SkeletonRows rows={5} />;
  if (entries.length === 0) return <EmptyState cause="none" title={t('records:timeline.empty')} text="" compact />;
  return (
    <>
      <ol className={css.timeline}>
        {entries.map((entry) => (
          <Entry key={entry.id} entry={entry} object={object} context={context} onOpenRef={onOpenRef} />
        ))}
      </ol>
      {answer.hasNextPage && (
        <Button loading={answer.isFetchingNextPage} onClick={() => answer.fetchNextPage()}>
          {t('records:timeline.more')}
        </Button>
      )}
    </>
  );
}
