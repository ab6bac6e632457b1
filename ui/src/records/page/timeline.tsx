import {
  type Icon,
  IconArrowBackUp,
  IconArrowMerge,
  IconArrowsSplit2,
  IconCalendarEvent,
  IconCategory,
  IconCheckbox,
  IconFilter,
  IconMail,
  IconMapPin,
  IconMessage,
  IconNote,
  IconPaperclip,
  IconPencil,
  IconPhone,
  IconPlus,
  IconReceiptRefund,
  IconShoppingBag,
  IconTrash,
} from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import type { Change, ObjectType, Ref, TimelineEntry, TimelineKind } from '@/api';
import { timelineQuery } from '@/api';
import { type FieldContext, isEmptyValue, kindOf, useFieldContext } from '@/fields';
import { labelText, useFormat, useTranslation } from '@/i18n';
import { findField } from '@/metadata';
import { Button, EmptyState, ErrorState, SkeletonRows } from '@/ui';
import { CommentEntry } from '../talk/comment-entry';
import { CompleteBox } from '../work/activity-row';
import { ActivityFacts } from './activity-facts';
import css from './timeline.module.css';

const LetterEntry = lazy(() => import('../letter/letter-entry').then((module) => ({ default: module.LetterEntry })));
const ApprovalEntry = lazy(() =>
  import('../approval/timeline-entry').then((module) => ({ default: module.ApprovalEntry })),
);
const FileEntry = lazy(() => import('../files/file-entry').then((module) => ({ default: module.FileEntry })));

const SIGNS: Record<TimelineKind, Icon> = {
  created: IconPlus,
  updated: IconPencil,
  deleted: IconTrash,
  restored: IconArrowBackUp,
  merged: IconArrowMerge,
  unmerged: IconArrowsSplit2,
  erased: IconTrash,
  order: IconShoppingBag,
  refund: IconReceiptRefund,
  class: IconCategory,
  segment: IconFilter,
  task: IconCheckbox,
  call: IconPhone,
  meeting: IconCalendarEvent,
  visit: IconMapPin,
  note: IconNote,
  comment: IconMessage,
  file: IconPaperclip,
  letter: IconMail,
  approval: IconCheckbox,
};

/** What a reader may want to see alone; nobody asks for deletions by themselves. */
const GROUPS: { key: string; kinds: readonly TimelineKind[]; customer?: boolean }[] = [
  { key: 'comments', kinds: ['comment'] },
  { key: 'letters', kinds: ['letter'] },
  { key: 'files', kinds: ['file'] },
  { key: 'notes', kinds: ['note'] },
  { key: 'tasks', kinds: ['task'] },
  { key: 'calls', kinds: ['call'] },
  { key: 'meetings', kinds: ['meeting', 'visit'] },
  { key: 'trade', kinds: ['order', 'refund'], customer: true },
  { key: 'changes', kinds: ['created', 'updated', 'deleted', 'restored', 'merged', 'unmerged', 'erased'] },
  { key: 'classes', kinds: ['class'], customer: true },
  { key: 'approvals', kinds: ['approval'] },
];

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
          {entry.activity && entry.kind !== 'note' && <CompleteBox record={entry.activity} />}
          {entry.approval && (
            <Suspense>
              <ApprovalEntry approval={entry.approval} title={title} />
            </Suspense>
          )}
          {entry.approval === undefined && record && (
            <button type="button" className={css.title} onClick={() => onOpenRef(record)}>
              {title}
            </button>
          )}
          {entry.approval === undefined && !record && <span className={css.title}>{title}</span>}
          {amount && (
            <span className={css.amount} data-refund={entry.kind === 'refund' || undefined}>
              {entry.kind === 'refund' ? '\u2212' : ''}
              {fmt.money(amount)}
            </span>
          )}
        </div>
        {entry.actor?.name && <div className={css.by}>{entry.actor.name}</div>}
        {entry.comment && <CommentEntry comment={entry.comment} />}
        {entry.letter && (
          <Suspense>
            <LetterEntry letter={entry.letter} />
          </Suspense>
        )}
        {entry.file && (
          <Suspense>
            <FileEntry file={entry.file} />
          </Suspense>
        )}
        {entry.activity && (
          <ActivityFacts record={entry.activity} object={entry.kind} by={entry.actor?.id} context={context} />
        )}
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

/** The kinds that a reader chose, none for all of them. */
function Filter({ object, chosen, onChoose }: { object: string; chosen: string; onChoose: (group: string) => void }) {
  const { t } = useTranslation('work');
  const groups = GROUPS.filter((group) => group.customer !== true || object === 'customer');
  return (
    <div className={css.filter} role="toolbar" aria-label={t('work:filter.label')}>
      {['', ...groups.map((group) => group.key)].map((key) => (
        <button
          key={key}
          type="button"
          className={css.chip}
          aria-pressed={chosen === key}
          onClick={() => onChoose(chosen === key ? '' : key)}
        >
          {t(`work:filter.${key || 'all'}`)}
        </button>
      ))}
    </div>
  );
}

export function Timeline(props: Props) {
  const [group, setGroup] = useState('');
  const kinds = (GROUPS.find((each) => each.key === group)?.kinds ?? []).join(',');
  return (
    <>
      <Filter object={props.object.key} chosen={group} onChoose={setGroup} />
      <Entries {...props} kinds={kinds} />
    </>
  );
}

function Entries({ object, id, onOpenRef, first: known, kinds }: Props & { kinds: string }) {
  const { t } = useTranslation(['records', 'work']);
  const context = useFieldContext();
  const answer = useInfiniteQuery(timelineQuery(object.key, id, kinds));
  const first = kinds === '' ? known : undefined;
  const entries = answer.data?.pages.flatMap((page) => page.items) ?? first ?? [];
  if (answer.isError && entries.length === 0)
    return <ErrorState error={answer.error} onRetry={() => answer.refetch()} compact />;
  if (answer.isPending && entries.length === 0) return <SkeletonRows rows={5} />;
  if (entries.length === 0)
    return (
      <EmptyState
        cause="none"
        title={t(kinds === '' ? 'records:timeline.empty' : 'work:filter.nothing')}
        text=""
        compact
      />
    );
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
