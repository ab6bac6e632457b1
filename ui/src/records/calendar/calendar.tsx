import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { type KeyboardEvent, lazy, Suspense, useState } from 'react';
import type { CalendarSpan, RecordData } from '@/api';
import { useFieldContext } from '@/fields';
import { useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { addDays, type Day } from '@/lib/day';
import { useDrag } from '@/lib/drag';
import { canEdit } from '@/metadata';
import { Button, EmptyState, ErrorState, IconButton, SegmentedControl } from '@/ui';
import { useMoves } from '../board/use-moves';
import { cellValue } from '../cell-value';
import { targetField } from '../figures';
import type { List } from '../list/use-list';
import css from './calendar.module.css';
import { dayOfValue, daysShown, isDated, isDay, onDay, turn, usualDate } from './days';
import { Event } from './event';
import { useDays } from './use-days';

const Agenda = lazy(() => import('./agenda').then((module) => ({ default: module.Agenda })));
const DayDialog = lazy(() => import('./day-dialog').then((module) => ({ default: module.DayDialog })));

interface Props {
  list: List;
  label: string;
  phone: boolean;
  /** The day in the address. */
  day: string | undefined;
  onDay: (day: string | undefined) => void;
  hrefOf: (record: RecordData) => string;
  onOpen: (record: RecordData) => void;
}

/** As many as a box shows before "+n". */
const PER_DAY: Record<CalendarSpan, number> = { month: 3, week: 14, agenda: 0 };
const SPANS: readonly CalendarSpan[] = ['month', 'week', 'agenda'];
const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };

/** Records on their days. They change the day by mouse, by finger and by keys; a phone reads them one after the other. */
export function Calendar({ list, label, phone, day, onDay: goTo, hrefOf, onOpen }: Props) {
  const { t } = useTranslation(['views', 'common', 'layouts']);
  const context = useFieldContext();
  const { fmt, language } = context;
  const { object, traits, state } = list;
  const chosen = targetField(
    state.options.date === undefined ? undefined : { field: state.options.date },
    object,
    traits,
  );
  const field = chosen !== null && isDated(chosen) ? chosen : usualDate(object);
  const span = phone ? 'agenda' : (state.options.span ?? 'month');
  const today = fmt.today();
  const at = isDay(day) ? day : today;
  const days = daysShown(span, at);
  const shown = useDays(list, field, span === 'agenda' ? days : days, Math.max(4, PER_DAY[span]), fmt.timeZone);
  const { moves, move, dialog } = useMoves(object);
  const [opened, setOpened] = useState<Day | null>(null);
  const [spoken, setSpoken] = useState('');
  const movable = field !== null && canEdit(field, object);
  const tint = list.columns.find((column) => column.field.type === 'choice');

  const dayTitle = (one: Day) =>
    new Intl.DateTimeFormat(language, { month: 'long', day: 'numeric', weekday: 'short', timeZone: 'UTC' }).format(
      new Date(`${one}T00:00:00Z`),
    );
  const placed = (record: RecordData): Day =>
    moves.get(record.id)?.to ?? dayOfValue(cellValue(record, field?.key ?? ''), field as never, fmt.timeZone);
  const moveTo = (record: RecordData, to: Day) => {
    const from = placed(record);
    if (field === null || !movable || from === to) return;
    const current = moves.get(record.id)?.record ?? record;
    setSpoken(t('layouts:calendar.moved', { name: record.title, day: dayTitle(to) }));
    void move(record, field, onDay(cellValue(current, field.key), field, to, fmt.timeZone), from, to);
  };
  const find = (id: string): RecordData | undefined => {
    for (const inside of shown.records.values()) {
      const found = inside.find((record) => record.id === id);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const { dragging, root, handlers } = useDrag(css.ghost ?? 'ghost', (id, zone) => {
    const record = find(id);
    if (record !== undefined) moveTo(record, zone);
  });
  const onKey = (event: KeyboardEvent, record: RecordData) => {
    const step = STEPS[event.key];
    if (step === undefined || root.current === null) return;
    event.preventDefault();
    if (event.shiftKey) {
      moveTo(record, addDays(placed(record), step));
      const focus = () => root.current?.querySelector<HTMLElement>(`[data-card="${CSS.escape(record.id)}"]`)?.focus();
      requestAnimationFrame(focus);
      return;
    }
    const all = [...root.current.querySelectorAll<HTMLElement>('[data-card]')];
    all[all.indexOf(event.currentTarget as HTMLElement) + Math.sign(step)]?.focus();
  };
  /** What a day shows, with what is on its way to it and without what is on its way elsewhere. */
  const inside = (one: Day): RecordData[] => {
    const here = (shown.records.get(one) ?? []).filter((record) => (moves.get(record.id)?.to ?? one) === one);
    const known = new Set(here.map((record) => record.id));
    const arrived = [...moves.values()].filter((held) => held.to === one && !known.has(held.record.id));
    return [...arrived.map((held) => held.record), ...here];
  };
  const countOf = (one: Day): number => {
    let count = shown.counts.get(one) ?? 0;
    for (const held of moves.values()) {
      if (held.to === one && held.from !== one) count += 1;
      if (held.from === one && held.to !== one) count -= 1;
    }
    return Math.max(count, 0);
  };
  const render = (record: RecordData) =>
    field !== null && (
      <Event
        record={record}
        field={field}
        tint={tint}
        context={context}
        href={hrefOf(record)}
        movable={movable}
        dragged={dragging?.id === record.id}
        onOpen={onOpen}
        onKey={onKey}
      />
    );

  if (field === null)
    return (
      <div className={css.center}>
        <EmptyState cause="none" title={t('layouts:calendar.noField')} text={t('layouts:calendar.noFieldText')} />
      </div>
    );
  const names = daysShown('week', today).map((one) =>
    new Intl.DateTimeFormat(language, { weekday: 'short', timeZone: 'UTC' }).format(new Date(`${one}T00:00:00Z`)),
  );
  const title = span === 'week' ? `${fmt.date(days[0])} \u2013 ${fmt.shortDate(days.at(-1))}` : fmt.month(at);
  return (
    <>
      <div className={css.bar}>
        <IconButton
          label={t('layouts:calendar.previous')}
          icon={<IconChevronLeft size={16} />}
          onClick={() => goTo(turn(span, at, -1))}
        />
        <IconButton
          label={t('layouts:calendar.next')}
          icon={<IconChevronRight size={16} />}
          onClick={() => goTo(turn(span, at, 1))}
        />
        <Button onClick={() => goTo(undefined)}>{t('layouts:calendar.today')}</Button>
        <h2 className={css.title} aria-live="polite">
          {title}
        </h2>
        <span className="grow" />
        {!phone && (
          <SegmentedControl
            label={t('layouts:calendar.span')}
            value={span}
            onChange={(next) => list.setOptions({ span: next === 'month' ? undefined : next })}
            options={SPANS.map((one) => ({ value: one, label: t(`layouts:calendar.${one}`) }))}
          />
        )}
      </div>
      {shown.error !== null && (
        <div className={css.center}>
          <ErrorState error={shown.error} onRetry={shown.refetch} />
        </div>
      )}
      {shown.error === null && span === 'agenda' && (
        <div ref={root} className={css.scroll} {...handlers}>
          <Suspense>
            <Agenda
              object={object.key}
              field={field}
              query={shown.queryFor(days[0] ?? at, days.at(-1) ?? at)}
              counts={shown.counts}
              context={context}
              dayTitle={dayTitle}
              render={render}
            />
          </Suspense>
        </div>
      )}
      {shown.error === null && span !== 'agenda' && (
        // biome-ignore lint/a11y/useSemanticElements: a fieldset is of forms.
        <div
          ref={root}
          className={css.calendar}
          data-span={span}
          role="group"
          aria-label={label}
          aria-busy={shown.isPending}
          {...handlers}
        >
          <div className={css.names} aria-hidden>
            {names.map((name) => (
              <span key={name}>{name}</span>
            ))}
          </div>
          <div className={css.days}>
            {days.map((one) => {
              const records = inside(one).slice(0, PER_DAY[span]);
              const rest = countOf(one) - records.length;
              return (
                <section
                  key={one}
                  className={cx(css.day, one.slice(0, 7) !== at.slice(0, 7) && span === 'month' && css.outside)}
                  data-drop={one}
                  data-over={dragging?.zone === one || undefined}
                  data-today={one === today || undefined}
                  aria-label={dayTitle(one)}
                >
                  <span className={css.number} aria-hidden>
                    {Number(one.slice(8))}
                  </span>
                  <ul className={css.events}>
                    {records.map((record) => (
                      <li key={record.id}>{render(record)}</li>
                    ))}
                  </ul>
                  {rest > 0 && !shown.isPending && (
                    <button type="button" className={css.rest} onClick={() => setOpened(one)}>
                      {t('layouts:calendar.rest', { count: rest })}
                    </button>
                  )}
                </section>
              );
            })}
          </div>
        </div>
      )}
      <p id="calendar-keys" className="sr-only">
        {t('layouts:calendar.keys')}
      </p>
      <p className="sr-only" aria-live="assertive">
        {spoken}
      </p>
      <Suspense>
        {opened !== null && (
          <DayDialog
            object={object.key}
            title={dayTitle(opened)}
            query={shown.queryFor(opened, opened)}
            render={render}
            onClose={() => setOpened(null)}
          />
        )}
      </Suspense>
      {dialog}
    </>
  );
}
