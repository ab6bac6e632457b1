import { IconDots, IconGripVertical, IconTrash } from '@tabler/icons-react';
import { type KeyboardEvent, useLayoutEffect, useRef, useState } from 'react';
import type { ObjectType } from '@/api';
import { type Label, useLabel, useLanguage, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { type Drag, useDrag } from '@/lib/drag';
import { findField } from '@/metadata';
import { Checkbox, IconButton, Menu, SegmentedControl, TextInput } from '@/ui';
import css from './object-layout.module.css';
import {
  HIDDEN,
  type LayoutDraft,
  moveField,
  moveSection,
  placeOf,
  REST,
  removeSection,
  stepField,
  zoneOf,
  zonesOf,
} from './object-layout-draft';
import { TypeIcon } from './object-types';

interface Props {
  object: ObjectType;
  draft: LayoutDraft;
  onChange: (draft: LayoutDraft) => void;
}

/** What is dragged: "field:KEY" or "section:KEY". Where it may fall: "before:FIELD", "zone:KEY", "section:KEY". */
function dropped(draft: LayoutDraft, id: string, zone: string): LayoutDraft {
  const [kind = '', key = ''] = split(id);
  const [place = '', target = ''] = split(zone);
  if (kind === 'section') {
    const over = place === 'before' ? placeOf(draft, target) : target;
    const to = draft.sections.findIndex((section) => section.key === over);
    return to < 0 ? moveSection(draft, key, draft.sections.length) : moveSection(draft, key, to);
  }
  if (place !== 'before') return moveField(draft, key, target);
  if (target === key) return draft;
  const into = placeOf(draft, target);
  const fields = zoneOf(draft, into).filter((each) => each !== key);
  return moveField(draft, key, into, fields.indexOf(target));
}
const split = (text: string): string[] => [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)];

const STEPS: Record<string, 1 | -1> = { ArrowUp: -1, ArrowDown: 1 };

/** All fields of an object in the blocks in which they stand: dragged, or moved with the arrow keys on their handle. */
export function Sections({ object, draft, onChange }: Props) {
  const { t } = useTranslation(['layout', 'fields']);
  const label = useLabel();
  const [said, setSaid] = useState('');
  const focused = useRef<string | null>(null);
  const drag = useDrag(css.ghost ?? '', (id, zone) => onChange(dropped(draft, id, zone)));
  useLayoutEffect(() => {
    if (focused.current === null) return;
    document.querySelector<HTMLElement>(`[data-grip="${CSS.escape(focused.current)}"]`)?.focus();
    focused.current = null;
  });
  const nameOf = (zone: string): string => {
    if (zone === REST) return t('layout:rest');
    if (zone === HIDDEN) return t('layout:hidden');
    const title = draft.sections.find((section) => section.key === zone)?.title;
    return label(title, '') || t(`fields:section.${zone}`, { defaultValue: zone });
  };
  const fieldName = (key: string) => label(findField(object, key)?.label, key);
  const press =
    (id: string, next: (step: 1 | -1) => LayoutDraft, say: (draft: LayoutDraft) => string) =>
    (event: KeyboardEvent) => {
      const step = STEPS[event.key];
      if (step === undefined) return;
      event.preventDefault();
      focused.current = id;
      const after = next(step);
      setSaid(say(after));
      onChange(after);
    };
  const grip = (id: string, name: string, onKeyDown: (event: KeyboardEvent) => void) => (
    <button
      type="button"
      className={css.grip}
      data-grip={id}
      aria-label={t('layout:move', { name })}
      title={t('layout:moveHelp')}
      onKeyDown={onKeyDown}
    >
      <IconGripVertical size={14} aria-hidden />
    </button>
  );
  const row = (key: string) => {
    const field = findField(object, key);
    if (field === undefined) return null;
    const id = `field:${key}`;
    const here = placeOf(draft, key);
    return (
      <li
        key={key}
        className={cx(css.row, drag.dragging?.zone === `before:${key}` && css.over)}
        data-drag={id}
        data-drop={`before:${key}`}
        data-held={drag.dragging?.id === id || undefined}
      >
        {grip(
          id,
          fieldName(key),
          press(
            id,
            (step) => stepField(draft, key, step),
            (after) =>
              t('layout:said', {
                name: fieldName(key),
                zone: nameOf(placeOf(after, key)),
                at: zoneOf(after, placeOf(after, key)).indexOf(key) + 1,
              }),
          ),
        )}
        <TypeIcon type={field.type} size={15} />
        <span className="grow truncate">
          {fieldName(key)}
          {field.required && <span className={css.star}> *</span>}
        </span>
        <span data-no-drag>
          <Menu
            target={
              <IconButton
                size="sm"
                tooltip={false}
                label={t('layout:moveTo', { name: fieldName(key) })}
                icon={<IconDots size={14} />}
              />
            }
            position="bottom-end"
            entries={zonesOf(draft)
              .filter((zone) => zone !== here)
              .map((zone) => ({ label: nameOf(zone), onSelect: () => onChange(moveField(draft, key, zone)) }))}
          />
        </span>
      </li>
    );
  };
  const rows = (zone: string, empty: string) => {
    const fields = zoneOf(draft, zone);
    return (
      <ul
        className={cx(css.rows, drag.dragging?.zone === `zone:${zone}` && css.over)}
        data-drop={`zone:${zone}`}
        aria-label={nameOf(zone)}
      >
        {fields.map(row)}
        {fields.length === 0 && <li className={css.empty}>{empty}</li>}
      </ul>
    );
  };
  return (
    <div className={css.sections} ref={drag.root} {...drag.handlers}>
      {draft.sections.map((section) => (
        <section
          key={section.key}
          className={cx(css.section, drag.dragging?.zone === `section:${section.key}` && css.over)}
          data-drag={`section:${section.key}`}
          data-drop={`section:${section.key}`}
        >
          <SectionHead
            name={nameOf(section.key)}
            section={section}
            grip={grip(
              `section:${section.key}`,
              nameOf(section.key),
              press(
                `section:${section.key}`,
                (step) => moveSection(draft, section.key, draft.sections.indexOf(section) + step),
                (after) =>
                  t('layout:saidSection', {
                    name: nameOf(section.key),
                    at: after.sections.findIndex((each) => each.key === section.key) + 1,
                  }),
              ),
            )}
            onChange={(patch) =>
              onChange({
                ...draft,
                sections: draft.sections.map((each) => (each.key === section.key ? { ...each, ...patch } : each)),
              })
            }
            onRemove={() => onChange(removeSection(draft, section.key))}
          />
          {rows(section.key, t('layout:dropHere'))}
        </section>
      ))}
      <Apart title={t('layout:rest')} help={t('layout:restHelp')} zone={REST} drag={drag}>
        {rows(REST, t('layout:restNone'))}
      </Apart>
      <Apart title={t('layout:hidden')} help={t('layout:hiddenHelp')} zone={HIDDEN} drag={drag}>
        {rows(HIDDEN, t('layout:hiddenNone'))}
      </Apart>
      <span className="sr-only" role="status">
        {said}
      </span>
    </div>
  );
}

interface HeadProps {
  name: string;
  section: LayoutDraft['sections'][number];
  grip: React.ReactNode;
  onChange: (patch: Partial<LayoutDraft['sections'][number]>) => void;
  onRemove: () => void;
}
function SectionHead({ name, section, grip, onChange, onRemove }: HeadProps) {
  const { t } = useTranslation('layout');
  const language = useLanguage();
  const set = (text: string): Label => ({ ...section.title, [language]: text });
  return (
    <header className={css.head}>
      {grip}
      <div className={css.title} data-no-drag>
        <TextInput
          aria-label={t('layout:title', { name })}
          value={section.title[language] ?? ''}
          placeholder={name}
          maxLength={80}
          onChange={(text) => onChange({ title: set(text) })}
        />
      </div>
      <div className={css.tools} data-no-drag>
        <SegmentedControl<'1' | '2'>
          label={t('layout:columnsOf', { name })}
          value={section.columns === 2 ? '2' : '1'}
          onChange={(columns) => onChange({ columns: Number(columns) })}
          options={[
            { value: '1', label: t('layout:one') },
            { value: '2', label: t('layout:two') },
          ]}
        />
        <Checkbox
          label={t('layout:collapsed')}
          checked={section.collapsed === true}
          onChange={(collapsed) => onChange({ collapsed })}
        />
        <IconButton label={t('layout:remove', { name })} icon={<IconTrash size={15} />} onClick={onRemove} />
      </div>
    </header>
  );
}

interface ApartProps {
  title: string;
  help: string;
  zone: string;
  drag: Drag;
  children: React.ReactNode;
}
/** The fields that stand in no section. */
function Apart({ title, help, zone, drag, children }: ApartProps) {
  return (
    <section
      className={cx(css.section, css.apart, drag.dragging?.zone === `zone:${zone}` && css.over)}
      data-drop={`zone:${zone}`}
    >
      <header className={css.head}>
        <h3 className={css.apartTitle}>{title}</h3>
        <span className="muted">{help}</span>
      </header>
      {children}
    </section>
  );
}
