import {
  type Icon,
  IconArrowBackUp,
  IconArrowMerge,
  IconArrowsSplit2,
  IconCalendarEvent,
  IconCategory,
  IconCheckbox,
  IconFilter,
  IconLink,
  IconMail,
  IconMapPin,
  IconMessage,
  IconNote,
  IconPaperclip,
  IconPencil,
  IconPhone,
  IconPlus,
  IconReceiptRefund,
  IconSearch,
  IconShoppingBag,
  IconTrash,
  IconUsers,
  IconWorld,
} from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { lazy, Suspense, useRef, useState } from 'react';
import type { Change, ObjectType, Ref, TimelineAsk, TimelineEntry, TimelineKind } from '@/api';
import { timelineQuery } from '@/api';
import { type FieldContext, isEmptyValue, kindOf, useFieldContext } from '@/fields';
import { labelText, useFormat, useTranslation } from '@/i18n';
import { findField } from '@/metadata';
import { Button, EmptyState, ErrorState, SkeletonRows } from '@/ui';
import css from './timeline.module.css';

const CommentEntry = lazy(() => import('../talk/comment-entry').then((module) => ({ default: module.CommentEntry })));
const CompleteBox = lazy(() => import('../work/activity-row').then((module) => ({ default: module.CompleteBox })));
const ActivityFacts = lazy(() => import('./activity-facts').then((module) => ({ default: module.ActivityFacts })));
const VisitActs = lazy(() => import('../behaviour/visit-acts').then((module) => ({ default: module.VisitActs })));
const Finder = lazy(() =>
  import('../behaviour/timeline-finder').then((module) => ({ default: module.TimelineFinder })),
);
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
  behaviour: IconWorld,
  identity: IconLink,
  interaction: IconUsers,
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
  { key: 'behaviour', kinds: ['behaviour', 'interaction'], customer: true },
  { key: 'changes', kinds: ['created', 'updated', 'deleted', 'restored', 'merged', 'unmerged', 'erased'] },
  { key: 'classes', kinds: ['class'], customer: true },
  { key: 'approvals', kinds: ['approval'] },
  { key: 'identity', kinds: ['identity'], customer: true },
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
  object: ObjectType;
  id: string;
  context: FieldContext;
  onOpenRef: (ref: Ref) => void;
  /** It came while the reader was looking. */
  fresh: boolean;
}

const SHOWN = 4;

function Entry({ entry, object, id, context, onOpenRef, fresh }: EntryProps) {
  const fmt = useFormat();
  const { t } = useTranslation('work');
  const [open, setOpen] = useState(false);
  const Sign = SIGNS[entry.kind] ?? IconNote;
  const title = labelText(entry.title, context.language);
  const { record, amount, visit, contact, detail } = entry;
  const onRecord = record ? () => onOpenRef(record) : undefined;
  const onPress = visit ? () => setOpen(!open) : onRecord;
  const changes = entry.kind === 'created' ? [] : (entry.changes ?? []);
  return (
    <li className={css.entry} data-fresh={fresh || undefined}>
      <span className={css.sign} data-kind={entry.kind}>
        <Sign size={13} stroke={1.7} aria-hidden />
      </span>
      <div className={css.text}>
        <div className={css.line}>
          {entry.activity && entry.kind !== 'note' && (
            <Suspense>
              <CompleteBox record={entry.activity} />
            </Suspense>
          )}
          {entry.approval && (
            <Suspense>
              <ApprovalEntry approval={entry.approval} title={title} />
            </Suspense>
          )}
          {entry.approval === undefined && onPress && (
            <button type="button" className={css.title} aria-expanded={visit && open} onClick={onPress}>
              {title}
            </button>
          )}
          {entry.approval === undefined && !onPress && <span className={css.title}>{title}</span>}
          {contact && (
            <button type="button" className={css.contact} onClick={() => onOpenRef(contact)}>
              {contact.title}
            </button>
          )}
          {amount && (
            <span className={css.amount} data-refund={entry.kind === 'refund' || undefined}>
              {entry.kind === 'refund' ? '\u2212' : ''}
              {fmt.money(amount)}
            </span>
          )}
        </div>
        {entry.actor?.name && <div className={css.by}>{entry.actor.name}</div>}
        {detail && <div className={css.by}>{labelText(detail, context.language)}</div>}
        {visit && open && (
          <Suspense fallback={<SkeletonRows rows={2} />}>
            <VisitActs customer={id} visit={visit.id} ended={visit.ended_at} />
          </Suspense>
        )}
        {entry.comment && (
          <Suspense>
            <CommentEntry comment={entry.comment} />
          </Suspense>
        )}
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
          <Suspense>
            <ActivityFacts record={entry.activity} object={entry.kind} by={entry.actor?.id} context={context} />
          </Suspense>
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
        {fresh ? t('work:just') : fmt.relative(entry.at)}
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

interface FilterProps {
  object: string;
  chosen: readonly string[];
  onChoose: (groups: readonly string[]) => void;
  finding: boolean;
  onFind: () => void;
}

/** The kinds that a reader chose, none for all of them, and the way to search. */
function Filter({ object, chosen, onChoose, finding, onFind }: FilterProps) {
  const { t } = useTranslation('work');
  const groups = GROUPS.filter((group) => group.customer !== true || object === 'customer');
  const toggled = (key: string) =>
    chosen.includes(key) ? chosen.filter((each) => each !== key) : [...chosen, key].filter(Boolean);
  return (
    <div className={css.filter} role="toolbar" aria-label={t('work:filter.label')}>
      <button
        type="button"
        className={css.chip}
        aria-expanded={finding}
        aria-label={t('work:filter.find')}
        title={t('work:filter.find')}
        onClick={onFind}
      >
        <IconSearch size={13} stroke={1.8} aria-hidden />
      </button>
      {['', ...groups.map((group) => group.key)].map((key) => (
        <button
          key={key}
          type="button"
          className={css.chip}
          aria-pressed={key === '' ? chosen.length === 0 : chosen.includes(key)}
          onClick={() => onChoose(key === '' ? [] : toggled(key))}
        >
          {t(`work:filter.${key || 'all'}`)}
        </button>
      ))}
    </div>
  );
}

const NOTHING: TimelineAsk = {};

export function Timeline(props: Props) {
  const [chosen, choose] = useState<readonly string[]>([]);
  const [finding, find] = useState(false);
  const [found, setFound] = useState(NOTHING);
  const kinds = GROUPS.flatMap(({ key, kinds: of }) => (chosen.includes(key) ? of : [])).join(',');
  const ask = { ...found, ...(kinds !== '' && { kinds }) };
  return (
    <>
      <Filter
        object={props.object.key}
        chosen={chosen}
        onChoose={choose}
        finding={finding}
        onFind={() => {
          find(!finding);
          setFound(NOTHING);
        }}
      />
      {finding && (
        <Suspense fallback={<SkeletonRows rows={1} />}>
          <Finder onFind={setFound} />
        </Suspense>
      )}
      <Entries {...props} ask={ask} />
    </>
  );
}

/** What came within this time is said to be just in. */
const JUST = 120_000;

const stampOf = (entry: TimelineEntry): string => entry.visit?.ended_at ?? entry.at;

/** Entries that came, or visits that went on, since the first look, a moment ago. */
function useFresh(entries: readonly TimelineEntry[], ask: string): (entry: TimelineEntry) => boolean {
  const first = useRef<{ ask: string; stamps: Map<string, string> } | null>(null);
  if (first.current?.ask !== ask && entries.length > 0)
    first.current = { ask, stamps: new Map(entries.map((entry) => [entry.id, stampOf(entry)])) };
  const { stamps } = first.current ?? {};
  return (entry) => {
    const stamp = stampOf(entry);
    return stamps !== undefined && stamps.get(entry.id) !== stamp && Date.now() - Date.parse(stamp) < JUST;
  };
}

function Entries({ object, id, onOpenRef, first: known, ask }: Props & { ask: TimelineAsk }) {
  const { t } = useTranslation(['records', 'work']);
  const context = useFieldContext();
  const answer = useInfiniteQuery(timelineQuery(object.key, id, ask));
  const narrowed = Object.keys(ask).length > 0;
  const pages = answer.data?.pages;
  const entries = pages?.flatMap((page) => page.items) ?? (narrowed ? undefined : known) ?? [];
  const fresh = useFresh(entries, JSON.stringify(ask));
  const more = answer.hasNextPage && (
    <Button loading={answer.isFetchingNextPage} onClick={() => answer.fetchNextPage()}>
      {t('records:timeline.more')}
    </Button>
  );
  if (answer.isError && entries.length === 0)
    return <ErrorState error={answer.error} onRetry={() => answer.refetch()} compact />;
  if (answer.isPending && entries.length === 0) return <SkeletonRows rows={5} />;
  if (entries.length === 0)
    return (
      <>
        <EmptyState
          cause="none"
          title={t(narrowed ? 'work:filter.nothing' : 'records:timeline.empty')}
          text=""
          compact
        />
        {more}
      </>
    );
  return (
    <>
      <ol className={css.timeline}>
        {entries.map((entry) => (
          <Entry
            key={entry.id}
            entry={entry}
            object={object}
            id={id}
            context={context}
            onOpenRef={onOpenRef}
            fresh={fresh(entry)}
          />
        ))}
      </ol>
      {more}
    </>
  );
}
