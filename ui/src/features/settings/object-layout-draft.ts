import type { Field, Layout, LayoutSection, ObjectType } from '@/api';
import type { Label } from '@/i18n';
import { canRead, fieldSections } from '@/metadata';

/** Where fields go that no section names, and those that stand nowhere. */
export const REST = '~rest';
export const HIDDEN = '~hidden';

export interface LayoutDraft {
  sections: LayoutSection[];
  /** Fields that stand under "other", in the order of the metadata. */
  rest: string[];
  hidden: string[];
  tabs: string[];
  hiddenTabs: string[];
  highlights: string[];
}

const placeable = (field: Field): boolean => canRead(field) && field.key !== 'id' && field.type !== 'relation_many';

/** All tabs that a page can have, in the order of the program. */
export const allTabs = (object: ObjectType): string[] => [
  ...(object.key === 'order' ? ['lines'] : []),
  'timeline',
  ...object.related
    .filter((relation) => !(object.key === 'order' && relation.object === 'order_line'))
    .map((relation) => `${relation.object}.${relation.via}`),
  ...(object.key === 'customer' ? ['traits'] : []),
  'history',
];

/** What is edited: a layout with everything that it does not name in its place. Without one, what the program shows. */
export function draftOf(object: ObjectType, layout: Layout | undefined): LayoutDraft {
  const { layout: _, ...plain } = object;
  const sections =
    layout?.sections ??
    fieldSections(plain)
      .filter((section) => section.key !== 'system')
      .map((section) => ({
        key: section.key,
        title: {}, // the program has words for it
        columns: 1,
        fields: section.fields.filter(placeable).map((field) => field.key),
      }))
      .filter((section) => section.fields.length > 0);
  const hidden = layout?.hidden ?? [];
  const named = new Set([...sections.flatMap((section) => section.fields), ...hidden]);
  const tabs = layout?.tabs ?? [];
  return {
    sections,
    hidden,
    rest: object.fields.filter((field) => placeable(field) && !named.has(field.key)).map((field) => field.key),
    tabs: [...tabs, ...allTabs(object).filter((tab) => !tabs.includes(tab))],
    hiddenTabs: layout?.hidden_tabs ?? [],
    highlights: layout?.highlights ?? [],
  };
}

export const toLayout = (role: string, draft: LayoutDraft): Layout => ({
  ...(role !== '' && { role }),
  sections: draft.sections,
  hidden: draft.hidden,
  tabs: draft.tabs,
  hidden_tabs: draft.hiddenTabs,
  highlights: draft.highlights,
});

/** The fields of a zone: a section by its key, the rest, the hidden. */
export function zoneOf(draft: LayoutDraft, zone: string): string[] {
  if (zone === REST) return draft.rest;
  if (zone === HIDDEN) return draft.hidden;
  return draft.sections.find((section) => section.key === zone)?.fields ?? [];
}

export const zonesOf = (draft: LayoutDraft): string[] => [
  ...draft.sections.map((section) => section.key),
  REST,
  HIDDEN,
];

export const placeOf = (draft: LayoutDraft, field: string): string =>
  zonesOf(draft).find((zone) => zoneOf(draft, zone).includes(field)) ?? REST;

/** Takes a field to a place in a zone; past the end of the zone when there are fewer. */
export function moveField(draft: LayoutDraft, field: string, zone: string, at = Number.POSITIVE_INFINITY): LayoutDraft {
  const without = (keys: readonly string[]) => keys.filter((key) => key !== field);
  const put = (keys: readonly string[], here: boolean) => {
    const left = without(keys);
    return here ? left.toSpliced(Math.min(at, left.length), 0, field) : left;
  };
  return {
    ...draft,
    sections: draft.sections.map((section) => ({ ...section, fields: put(section.fields, section.key === zone) })),
    rest: put(draft.rest, zone === REST),
    hidden: put(draft.hidden, zone === HIDDEN),
  };
}

/** One step up or down, out of a zone into the next one at its ends. */
export function stepField(draft: LayoutDraft, field: string, step: 1 | -1): LayoutDraft {
  const zones = zonesOf(draft);
  const zone = placeOf(draft, field);
  const fields = zoneOf(draft, zone);
  const to = fields.indexOf(field) + step;
  if (to >= 0 && to < fields.length) return moveField(draft, field, zone, to);
  const next = zones[zones.indexOf(zone) + step];
  return next === undefined ? draft : moveField(draft, field, next, step === 1 ? 0 : Number.POSITIVE_INFINITY);
}

export function moveSection(draft: LayoutDraft, key: string, to: number): LayoutDraft {
  const section = draft.sections.find((each) => each.key === key);
  if (section === undefined) return draft;
  const left = draft.sections.filter((each) => each.key !== key);
  return { ...draft, sections: left.toSpliced(Math.min(Math.max(to, 0), left.length), 0, section) };
}

/** Without a section; its fields stand under "other". */
export function removeSection(draft: LayoutDraft, key: string): LayoutDraft {
  return {
    ...draft,
    rest: [...draft.rest, ...zoneOf(draft, key)],
    sections: draft.sections.filter((section) => section.key !== key),
  };
}

export function addSection(draft: LayoutDraft, title: Label): LayoutDraft {
  let n = draft.sections.length + 1;
  while (draft.sections.some((section) => section.key === `section_${n}`)) n += 1;
  return { ...draft, sections: [...draft.sections, { key: `section_${n}`, title, columns: 1, fields: [] }] };
}
