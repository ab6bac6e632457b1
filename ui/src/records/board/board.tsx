import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, lazy, Suspense, useCallback, useMemo, useRef, useState } from 'react';
import { figureScope, figuresQuery, type RecordData, usersQuery } from '@/api';
import { useFieldContext } from '@/fields';
import { labelText, useTranslation } from '@/i18n';
import { useDrag } from '@/lib/drag';
import { canEdit } from '@/metadata';
import { EmptyState, ErrorState, toast } from '@/ui';
import { asTarget, groupWhere, targetField } from '../figures';
import type { List } from '../list/use-list';
import { hasAvatar } from '../title';
import css from './board.module.css';
import { Column } from './column';
import { boardable, boardColumns, columnFigure, usualBoard } from './columns';
import { useMoves } from './use-moves';

const LimitDialog = lazy(() => import('./limit-dialog').then((module) => ({ default: module.LimitDialog })));

interface Props {
  list: List;
  label: string;
  hrefOf: (record: RecordData) => string;
  onOpen: (record: RecordData) => void;
}

/** Where the focus goes: the card at the same height of a neighbouring column, or the next one of its own. */
function neighbour(root: HTMLElement, from: Element, sideways: number, down: number): HTMLElement | null {
  const lists = [...root.querySelectorAll<HTMLElement>('[data-column]')];
  const list = from.closest<HTMLElement>('[data-column]');
  if (list === null) return null;
  const cards = (of: HTMLElement) => [...of.querySelectorAll<HTMLElement>('[data-card]')];
  const at = cards(list).indexOf(from as HTMLElement);
  if (sideways === 0) return cards(list)[at + down] ?? null;
  for (let next = lists.indexOf(list) + sideways; next >= 0 && next < lists.length; next += sideways) {
    const found = cards(lists[next] as HTMLElement);
    if (found.length > 0) return found[Math.min(at, found.length - 1)] ?? null;
  }
  return null;
}

/** Records in columns by a field. Cards change their column by mouse, by finger, by keys and by a menu. */
export function Board({ list, label, hrefOf, onOpen }: Props) {
  const { t } = useTranslation(['views', 'common', 'layouts']);
  const context = useFieldContext();
  const { object, traits, state } = list;
  const { options } = state;
  const chosen = targetField(options.board, object, traits);
  const field = chosen !== null && (boardable(chosen) || chosen.key.startsWith('trait.')) ? chosen : usualBoard(object);
  const group = useMemo(() => (field === null ? {} : asTarget(field.key)), [field]);
  const measure = options.measure;
  const measureField = measure === undefined ? null : targetField(measure, object, traits);
  const figures = useQuery({
    ...figuresQuery(object.key, {
      ...figureScope(state.where, state.q),
      group_by: [group],
      limit: 100,
      ...(measure !== undefined && measureField !== null && { measures: [measure] }),
    }),
    enabled: field !== null && list.ready,
  });
  const users = useQuery({
    ...usersQuery(),
    enabled: field?.type === 'user',
    retry: false,
    placeholderData: keepPreviousData,
  });
  const columns = useMemo(
    () => (field === null ? [] : boardColumns(field, group, figures.data, users.data?.items ?? [], context)),
    [field, group, figures.data, users.data, context],
  );
  const { moves, move, dialog } = useMoves(object);
  const known = useRef(new Map<string, RecordData>());
  const remember = useCallback((records: readonly RecordData[]) => {
    for (const record of records) known.current.set(record.id, record);
  }, []);
  const [picked, setPicked] = useState<{ id: string; from: string; to: string } | null>(null);
  const [limiting, setLimiting] = useState<string | null>(null);
  const [spoken, setSpoken] = useState('');
  const movable = field !== null && !field.key.startsWith('trait.') && canEdit(field, object);
  const nameOf = (key: string) => columns.find((column) => column.key === key)?.title ?? key;

  const moveTo = (record: RecordData, from: string, to: string) => {
    const column = columns.find((candidate) => candidate.key === to);
    if (field === null || column === undefined || from === to) return;
    if (column.value === null && field.required) {
      toast.error(t('layouts:board.required', { name: labelText(field.label, context.language, field.key) }));
      return;
    }
    setSpoken(t('layouts:board.moved', { name: record.title, column: column.title }));
    void move(record, field, column.value, from, to);
  };
  const placeOf = (id: string): string =>
    moves.get(id)?.to ??
    root.current?.querySelector(`[data-card="${CSS.escape(id)}"]`)?.closest<HTMLElement>('[data-column]')?.dataset
      .column ??
    '';
  const { dragging, root, handlers } = useDrag(css.ghost ?? 'ghost', (id, zone) => {
    const record = moves.get(id)?.record ?? known.current.get(id);
    if (record !== undefined) moveTo(record, placeOf(id), zone);
  });

  const focusLater = (id: string) =>
    requestAnimationFrame(() => root.current?.querySelector<HTMLElement>(`[data-card="${CSS.escape(id)}"]`)?.focus());
  const carry = (event: KeyboardEvent, record: RecordData): boolean => {
    if (picked === null || picked.id !== record.id) return false;
    const open = columns.map((column) => column.key);
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step !== undefined) {
      const to = open[Math.max(0, Math.min(open.length - 1, open.indexOf(picked.to) + step))] ?? picked.to;
      setPicked({ ...picked, to });
      setSpoken(t('layouts:board.overColumn', { column: nameOf(to) }));
      root.current
        ?.querySelector(`[data-drop="${CSS.escape(to)}"]`)
        ?.scrollIntoView({ inline: 'nearest', block: 'nearest' });
    } else if (event.key === ' ' || event.key === 'Enter') {
      setPicked(null);
      moveTo(record, picked.from, picked.to);
      focusLater(record.id);
    } else if (event.key === 'Escape') {
      setPicked(null);
      setSpoken(t('layouts:board.letGo', { name: record.title }));
    } else return event.key.startsWith('Arrow');
    return true;
  };
  const onKey = (event: KeyboardEvent, record: RecordData, column: string) => {
    if (carry(event, record)) {
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    const steps: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const step = steps[event.key];
    if (step !== undefined && root.current !== null) {
      neighbour(root.current, event.currentTarget, step[0], step[1])?.focus();
      event.preventDefault();
    } else if (event.key === ' ' && movable) {
      event.preventDefault();
      setPicked({ id: record.id, from: column, to: column });
      setSpoken(t('layouts:board.picked', { name: record.title }));
    }
  };

  if (field === null)
    return (
      <div className={css.center}>
        <EmptyState cause="none" title={t('layouts:board.noField')} text={t('layouts:board.noFieldText')} />
      </div>
    );
  if (figures.isError && figures.data === undefined)
    return (
      <div className={css.center}>
        <ErrorState error={figures.error} onRetry={() => figures.refetch()} />
      </div>
    );
  const cards = list.columns.slice(1).filter((column) => column.key !== field.key);
  const targets = columns.map(({ key, title }) => ({ key, title }));
  const collapsed = options.collapsed ?? [];
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is of forms. */}
      <div ref={root} className={css.board} role="group" aria-label={label} aria-busy={figures.isPending} {...handlers}>
        {columns.map((column) => (
          <Column
            key={column.key}
            list={list}
            column={column}
            where={groupWhere(group, column.value)}
            moves={moves}
            figure={columnFigure(column, measureField, context)}
            limit={options.limits?.[column.key]}
            collapsed={collapsed.includes(column.key)}
            over={(dragging?.zone ?? picked?.to) === column.key}
            movable={movable}
            dragged={dragging?.id ?? null}
            picked={picked?.id ?? null}
            targets={targets}
            cards={cards}
            context={context}
            avatar={hasAvatar(object)}
            hrefOf={hrefOf}
            onOpen={onOpen}
            onMove={(record, to) => moveTo(record, column.key, to)}
            onKey={onKey}
            onCollapse={(on) =>
              list.setOptions({
                collapsed: on ? [...collapsed, column.key] : collapsed.filter((key) => key !== column.key),
              })
            }
            onLimit={() => setLimiting(column.key)}
            remember={remember}
          />
        ))}
        {figures.data?.more && <p className={css.more}>{t('layouts:board.moreColumns', { count: columns.length })}</p>}
      </div>
      <p id="board-keys" className="sr-only">
        {t('layouts:board.keys')}
      </p>
      <p className="sr-only" aria-live="assertive">
        {spoken}
      </p>
      {!movable && <p className={css.note}>{t('layouts:board.fixed')}</p>}
      <Suspense>
        {limiting !== null && (
          <LimitDialog
            name={nameOf(limiting)}
            limit={options.limits?.[limiting] ?? null}
            onClose={() => setLimiting(null)}
            onSave={(limit) => {
              const { [limiting]: _, ...rest } = options.limits ?? {};
              list.setOptions({ limits: limit === null ? rest : { ...rest, [limiting]: limit } });
              setLimiting(null);
            }}
          />
        )}
      </Suspense>
      {dialog}
    </>
  );
}
