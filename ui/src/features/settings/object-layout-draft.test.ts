import { describe, expect, it } from 'vitest';
import type { Field, ObjectType } from '@/api';
import {
  addSection,
  draftOf,
  HIDDEN,
  moveField,
  moveSection,
  placeOf,
  REST,
  removeSection,
  stepField,
  toLayout,
} from './object-layout-draft';

const field = (key: string, section: string, more: Partial<Field> = {}): Field =>
  ({ key, type: 'text', label: { en: key }, section, required: false, access: 'write', ...more }) as Field;

const visit = {
  key: 'visit',
  title_field: 'name',
  fields: [
    field('name', 'basic', { required: true }),
    field('city', 'basic'),
    field('note', 'detail'),
    field('secret', 'detail', { access: 'hidden' }),
    field('id', ''),
    field('created_at', '', { access: 'read' }),
  ],
  related: [{ object: 'order', via: 'visit', label: {} }],
} as unknown as ObjectType;

const start = () => draftOf(visit, undefined);

describe('layout draft', () => {
  it('starts from what the program shows, without what one does not see', () => {
    const draft = start();
    expect(draft.sections.map((section) => [section.key, section.fields])).toEqual([
      ['basic', ['name', 'city']],
      ['detail', ['note']],
    ]);
    expect(draft.rest).toEqual(['created_at']);
    expect(draft.tabs).toEqual(['timeline', 'order.visit', 'history']);
  });

  it('keeps every field exactly once, wherever it is moved', () => {
    let draft = moveField(start(), 'city', 'detail', 0);
    draft = moveField(draft, 'note', HIDDEN);
    draft = moveField(draft, 'created_at', 'basic');
    expect(toLayout('', draft)).toMatchObject({
      sections: [
        { key: 'basic', fields: ['name', 'created_at'] },
        { key: 'detail', fields: ['city'] },
      ],
      hidden: ['note'],
    });
    expect(draft.rest).toEqual([]);
  });

  it('steps over the edge of a section into the next one', () => {
    let draft = stepField(start(), 'city', 1);
    expect(placeOf(draft, 'city')).toBe('detail');
    expect(draft.sections[1]?.fields).toEqual(['city', 'note']);
    draft = stepField(draft, 'city', -1);
    expect(draft.sections[0]?.fields).toEqual(['name', 'city']);
    expect(stepField(draft, 'name', -1)).toEqual(draft);
  });

  it('loses no field with its section', () => {
    const draft = removeSection(addSection(start(), { en: 'New' }), 'basic');
    expect(draft.rest).toEqual(['created_at', 'name', 'city']);
    expect(draft.sections.map((section) => section.key)).toEqual(['detail', 'section_3']);
    expect(moveSection(draft, 'section_3', 0).sections[0]?.key).toBe('section_3');
    expect(placeOf(draft, 'name')).toBe(REST);
  });

  it('shows new fields and tabs of the object behind those that a layout names', () => {
    const draft = draftOf(visit, { sections: [{ key: 'a', title: {}, fields: ['city'] }], tabs: ['history'] });
    expect(draft.rest).toEqual(['name', 'note', 'created_at']);
    expect(draft.tabs).toEqual(['history', 'timeline', 'order.visit']);
  });
});
