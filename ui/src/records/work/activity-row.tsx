import { IconAlertTriangle, IconBell, IconCheck, IconRepeat } from '@tabler/icons-react';
import { isActivity, type RecordData, type Ref, WHEN, waitingStore, withWaiting } from '@/api';
import { isRef } from '@/fields';
import { useFormat, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import type { Formatter } from '@/lib/format';
import { useStore } from '@/lib/store';
import { Tooltip } from '@/ui';
import css from './activity-row.module.css';
import { ACTIVITY_SIGNS } from './signs';
import { isClosed, isDone, useComplete } from './use-complete';

/** When an activity is to happen, in a few words. */
export function whenText(record: RecordData, fmt: Formatter): string {
  const field = isActivity(record.object) ? WHEN[record.object] : null;
  const at = field === null ? undefined : (record.fields[field] as string | undefined);
  if (!at) return '';
  if (record.fields.all_day === true) return fmt.shortDate(at);
  return `${fmt.shortDate(at)} ${fmt.time(at)}`;
}

export function isOverdue(record: RecordData, fmt: Formatter, now = new Date()): boolean {
  const field = isActivity(record.object) ? WHEN[record.object] : null;
  const at = field === null ? undefined : (record.fields[field] as string | undefined);
  if (!at || isClosed(record)) return false;
  if (record.fields.all_day === true || record.object !== 'task') return dayOf(at, fmt) < fmt.today(now);
  return new Date(at) < now;
}
const dayOf = (at: string, fmt: Formatter): string => fmt.today(new Date(at));

/** The round box that finishes an activity. */
export function CompleteBox({ record: sent, disabled = false }: { record: RecordData; disabled?: boolean }) {
  const { t } = useTranslation('work');
  const record = withWaiting(sent, useStore(waitingStore));
  const complete = useComplete();
  const done = isDone(record);
  return (
    <button
      type="button"
      aria-pressed={done}
      aria-label={t(done ? 'work:reopen' : 'work:complete', { name: record.title })}
      className={css.box}
      disabled={disabled || record.fields.status === 'cancelled'}
      data-priority={typeof record.fields.priority === 'string' ? record.fields.priority : undefined}
      onClick={() => void complete(record)}
    >
      <IconCheck size={12} stroke={3} aria-hidden />
    </button>
  );
}

interface Props {
  record: RecordData;
  onOpen: (ref: Ref) => void;
  editable: boolean;
  /** Leaves out what it is about: on the page of that record everybody knows. */
  bare?: boolean;
}

/** One activity in a list: finish it, open it, see when and for whom. */
export function ActivityRow({ record: sent, onOpen, editable, bare = false }: Props) {
  const { t } = useTranslation('work');
  const record = withWaiting(sent, useStore(waitingStore));
  const fmt = useFormat();
  const Sign = isActivity(record.object) ? ACTIVITY_SIGNS[record.object] : ACTIVITY_SIGNS.task;
  const { about, customer, assignee, priority, repeat, remind_at: reminder } = record.fields;
  const when = whenText(record, fmt);
  const late = isOverdue(record, fmt);
  const links = bare ? [] : [about, customer].filter(isRef);
  const shown = links.filter((ref, at) => links.findIndex((other) => other.id === ref.id) === at);
  return (
    <li className={cx(css.row, isClosed(record) && css.closed)}>
      <CompleteBox record={record} disabled={!editable} />
      <Sign size={15} stroke={1.7} className={css.sign} aria-hidden />
      <div className={css.text}>
        <button
          type="button"
          className={css.title}
          onClick={() => onOpen({ object: record.object, id: record.id, title: record.title })}
        >
          {record.title}
        </button>
        {shown.map((ref) => (
          <button key={ref.id} type="button" className={css.link} onClick={() => onOpen(ref)}>
            {ref.title || ref.id}
          </button>
        ))}
      </div>
      <div className={css.meta}>
        {record !== sent && <span className={css.waiting}>{t('work:waiting')}</span>}
        {priority === 'urgent' && (
          <Tooltip label={t('work:urgent')}>
            <IconAlertTriangle size={14} className={css.urgent} aria-label={t('work:urgent')} />
          </Tooltip>
        )}
        {typeof repeat === 'string' && repeat !== 'none' && (
          <Tooltip label={t('work:repeats')}>
            <IconRepeat size={14} aria-label={t('work:repeats')} />
          </Tooltip>
        )}
        {Boolean(reminder) && (
          <Tooltip label={t('work:remindsAt', { when: fmt.datetime(reminder as string) })}>
            <IconBell size={14} aria-label={t('work:remindsAt', { when: fmt.datetime(reminder as string) })} />
          </Tooltip>
        )}
        {bare && isRef(assignee) && <span className="truncate">{assignee.title}</span>}
        {when !== '' && <span className={cx(css.when, late && css.late)}>{when}</span>}
      </div>
    </li>
  );
}
