import { useEffect, useRef, useState } from 'react';
import type { Field, FieldType } from '@/api';
import { FieldEditor } from '@/fields';
import { useTranslation } from '@/i18n';
import { useEvent } from '@/lib/hooks';
import { Button, isComposing } from '@/ui';
import css from './inline-editor.module.css';

export type Move = 'stay' | 'next' | 'down';

export interface InlineEditorProps {
  /** Over a cell of the grid, or in its place in a list of fields. */
  place: 'cell' | 'row';
  field: Field;
  label: string;
  value: unknown;
  /** A masked value is not shown for editing: what is typed replaces the hidden one. */
  masked: boolean;
  onCommit: (value: unknown, move: Move) => void;
  onCancel: () => void;
}

/** Editors that need more room than a cell, or in which Enter means something else. */
const PANEL = new Set<FieldType>([
  'tags',
  'multi_choice',
  'address',
  'birthday',
  'datetime',
  'long_text',
  'json',
  'relation_many',
  'rating',
  'file',
  'image',
]);
/** Their list of choices would lie over the buttons; leaving saves. */
const LISTS = new Set<FieldType>(['tags', 'multi_choice', 'relation_many']);
/** Choosing is all there is to do: the choice is saved at once. */
const AT_ONCE = new Set<FieldType>(['choice', 'bool', 'relation', 'record', 'user', 'region', 'date']);

/** One value edited where it stands. Enter and a click elsewhere save, Escape does not. */
export function InlineEditor({ place, field, label, value, masked, onCommit, onCancel }: InlineEditorProps) {
  const { t } = useTranslation(['records', 'common']);
  const start = masked ? null : value;
  const [draft, setDraft] = useState<unknown>(start);
  const newest = useRef(draft);
  const done = useRef(false);
  const [busy, setBusy] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const panel = PANEL.has(field.type);

  const commit = useEvent((move: Move) => {
    if (done.current || busy) return;
    done.current = true;
    if (newest.current === start) onCancel();
    else onCommit(newest.current, move);
  });
  const cancel = useEvent(() => {
    if (done.current) return;
    done.current = true;
    onCancel();
  });
  const change = (next: unknown) => {
    newest.current = next;
    setDraft(next);
  };

  useEffect(() => {
    const outside = (event: PointerEvent) => {
      const target = event.target as Element;
      if (box.current?.contains(target) || target.closest('[data-portal]') !== null) return;
      commit('stay');
    };
    document.addEventListener('pointerdown', outside, true);
    return () => document.removeEventListener('pointerdown', outside, true);
  }, [commit]);

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys of the editor inside pass through here.
    <div
      ref={box}
      className={panel && place === 'cell' ? css.panel : css[place]}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (isComposing(event)) return;
        if (event.key === 'Escape') {
          event.preventDefault();
          cancel();
        } else if (event.key === 'Tab' && (!panel || LISTS.has(field.type)) && place === 'cell') {
          event.preventDefault();
          commit('next');
        } else if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) {
          event.preventDefault();
          commit('stay');
        }
      }}
    >
      <FieldEditor
        field={field}
        value={draft}
        onChange={change}
        onCommit={panel ? undefined : () => commit(AT_ONCE.has(field.type) ? 'stay' : 'down')}
        onCancel={cancel}
        onBusy={setBusy}
        inCell
        autoFocus
        aria-label={label}
        {...(masked && { description: t('records:edit.masked') })}
      />
      {panel && !(place === 'cell' && LISTS.has(field.type)) && (
        <div className={css.foot}>
          <Button kind="subtle" onClick={cancel}>
            {t('common:cancel')}
          </Button>
          <Button kind="primary" loading={busy} onClick={() => commit('stay')}>
            {t('common:save')}
          </Button>
        </div>
      )}
    </div>
  );
}
