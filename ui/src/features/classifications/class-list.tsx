import { type PointerEvent, type ReactNode, useRef, useState } from 'react';
import type { ClassificationPreview, ClassRule, FieldError } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useEvent } from '@/lib/hooks';
import { Sentence } from '@/records/conditions';
import { ClassRow } from './class-row';
import { type ClassesAction, faultsOf, isRest, placeFor } from './classes';
import css from './classifications.module.css';

interface Props {
  classes: readonly ClassRule[];
  original: readonly ClassRule[];
  preview: ClassificationPreview | undefined;
  tried: boolean;
  refused: readonly FieldError[];
  readOnly: boolean;
  dispatch: (action: ClassesAction) => void;
  onEdit: (key: string) => void;
}

/** Dragging by hand: the row follows as soon as the pointer passes the middle of its neighbour. */
function useDrag(count: number, move: (key: string, to: number) => void) {
  const rows = useRef(new Map<string, HTMLElement>());
  const [dragged, setDragged] = useState<string | null>(null);
  const grab = (key: string, order: readonly string[]) => (event: PointerEvent<HTMLButtonElement>) => {
    if (event.button !== 0) return;
    event.preventDefault();
    event.currentTarget.focus();
    setDragged(key);
    let now = [...order];
    const onMove = (moved: globalThis.PointerEvent) => {
      const from = now.indexOf(key);
      const boxes = now
        .slice(0, count)
        .map((each) => rows.current.get(each)?.getBoundingClientRect() ?? { top: 0, height: 0 });
      const to = placeFor(moved.clientY, boxes, from);
      if (to === from) return;
      now = now.filter((each) => each !== key);
      now.splice(to, 0, key);
      move(key, to);
    };
    const stop = () => {
      setDragged(null);
      removeEventListener('pointermove', onMove);
      removeEventListener('pointerup', stop);
      removeEventListener('pointercancel', stop);
    };
    addEventListener('pointermove', onMove);
    addEventListener('pointerup', stop);
    addEventListener('pointercancel', stop);
  };
  return { rows, dragged, grab };
}

/** The classes in the order in which they are tried. */
export function ClassList({ classes, original, preview, tried, refused, readOnly, dispatch, onEdit }: Props) {
  const { t } = useTranslation('classifications');
  const label = useLabel();
  const [said, setSaid] = useState('');
  const movable = classes.filter((_, at) => !isRest(classes, at)).length;
  const move = useEvent((key: string, to: number) => {
    const place = Math.max(0, Math.min(movable - 1, to));
    const rule = classes.find((each) => each.key === key);
    setSaid(t('classifications:movedTo', { name: label(rule?.label, key), place: place + 1, count: movable }));
    dispatch({ type: 'move', key, to: place });
  });
  const { rows, dragged, grab } = useDrag(movable, move);
  const faults = tried ? faultsOf(classes) : new Map();
  const sizes = new Map(preview?.classes.map((each) => [each.key, each]));
  const sentenceOf = (rule: ClassRule): ReactNode => {
    const old = original.find((each) => each.key === rule.key);
    if (old !== undefined && JSON.stringify(old.where) === JSON.stringify(rule.where)) return label(old.sentence);
    return rule.where === null ? '' : <Sentence object="customer" condition={rule.where} />;
  };
  const order = classes.map((each) => each.key);
  return (
    <>
      <ol className={css.list} aria-label={t('classifications:classes')}>
        {classes.map((rule, at) => {
          const size = sizes.get(rule.key);
          const known = size ?? (rule.count === undefined ? undefined : { count: rule.count, before: rule.count });
          return (
            <ClassRow
              key={rule.key}
              ref={(element) => {
                if (element === null) rows.current.delete(rule.key);
                else rows.current.set(rule.key, element);
              }}
              rule={rule}
              at={at}
              movable={movable}
              rest={isRest(classes, at)}
              sentence={sentenceOf(rule)}
              size={known ?? null}
              fault={faults.get(rule.key)}
              refused={refused.find((fault) => fault.location.startsWith(`classes.${at}.`))?.message}
              dragging={dragged === rule.key}
              readOnly={readOnly}
              dispatch={dispatch}
              onMove={move}
              onEdit={() => onEdit(rule.key)}
              onGrab={grab(rule.key, order)}
            />
          );
        })}
      </ol>
      <p className="sr-only" role="status">
        {said}
      </p>
    </>
  );
}
