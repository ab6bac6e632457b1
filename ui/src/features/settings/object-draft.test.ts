import { describe, expect, it } from 'vitest';
import { ApiError, type Field } from '@/api';
import {
  draftOf,
  emptyDraft,
  hasMember,
  latinKey,
  objectionsOf,
  pastedOptions,
  plural,
  TYPE_GROUPS,
  toChange,
  toInput,
} from './object-draft';
import { patternExample } from './object-pattern-example';
import { moved } from './object-sort';

const source: Field = {
  key: 'source',
  type: 'choice',
  label: { 'zh-CN': '来源', en: 'Source' },
  section: 'source',
  required: false,
  unique: false,
  personal: false,
  read_only: false,
  operation_only: false,
  filterable: true,
  sortable: true,
  searchable: false,
  indexed: true,
  operators: [],
  access: 'write',
  options: [
    { key: 'store', label: { 'zh-CN': '门店' }, color: 'teal' },
    { key: 'web', label: { 'zh-CN': '网店' }, color: 'blue' },
  ],
};

describe('what is sent for a field', () => {
  it('holds the members of its type and no others', () => {
    const number = { ...emptyDraft('number'), label: { 'zh-CN': ' 腰围 ', en: '' }, scale: 1, pattern: 'X{000}' };
    expect(toInput(number)).toEqual({
      type: 'number',
      label: { 'zh-CN': '腰围' },
      section: 'basic',
      required: false,
      indexed: false,
      scale: 1,
    });
    const many = { ...emptyDraft('relation_many'), label: { en: 'Fittings' }, target: 'fitting', via: 'guest' };
    expect(toInput(many)).toMatchObject({ target: 'fitting', via: 'guest' });
    for (const group of TYPE_GROUPS)
      for (const type of group.types)
        if (!hasMember(type, 'unique')) expect(toInput(emptyDraft(type))).not.toHaveProperty('unique');
  });

  it('leaves empty options out and gives the default one a key', () => {
    const draft = { ...emptyDraft('choice'), label: { en: 'State' } };
    const [first, second] = pastedOptions('待到店\n\n已到店 / Visited', 'zh-CN', 'en');
    if (first === undefined || second === undefined) throw new Error('two lines');
    draft.options = [first, ...draft.options, second];
    draft.default = second.id;
    const { options, default: start } = toInput(draft);
    expect(options?.map((option) => option.label)).toEqual([
      { 'zh-CN': '待到店' },
      { 'zh-CN': '已到店', en: 'Visited' },
    ]);
    expect(options?.map((option) => option.key)).toEqual([undefined, 'visited']);
    expect(start).toBe('visited');
  });

  it('is nothing when nothing was changed, and only the difference when something was', () => {
    expect(toChange(source, draftOf(source))).toEqual({});
    const draft = draftOf(source);
    draft.help = { en: 'Where from' };
    draft.options = draft.options.map((option) => ({ ...option, archived: option.key === 'web' }));
    draft.default = 'store';
    expect(toChange(source, draft)).toEqual({
      help: { en: 'Where from' },
      default: 'store',
      options: [
        { key: 'store', label: { 'zh-CN': '门店' }, color: 'teal' },
        { key: 'web', label: { 'zh-CN': '网店' }, color: 'blue', archived: true },
      ],
    });
    const started = { ...source, default: 'store' };
    expect(toChange(started, { ...draftOf(started), default: null, hidden: true })).toEqual({
      no_default: true,
      hidden: true,
    });
  });
});

describe('numbers', () => {
  it.each([
    ['SY{yyyymmdd}-{000}', 'SY20261122-001'],
    ['{yy}/{mm}/{dd}#{00000}', '26/11/22#00001'],
    ['nothing', null],
    ['{000}{000}', null],
    ['{hh}{000}', null],
    ['{000', null],
  ])('%s reads %s', (pattern, example) => expect(patternExample(pattern, '2026-11-22')).toBe(example));
});

describe('objections', () => {
  const refused = (...locations: string[]) =>
    new ApiError({
      type: 'metadata.invalid',
      title: 'several',
      status: 422,
      errors: locations.map((location) => ({ location, message: `at ${location}`, code: 'x' })),
    });
  it('stand at their own member alone', () => {
    const { at, rest } = objectionsOf(refused('options.0.label', 'target'));
    expect(at('options.0.label')).toBe('at options.0.label');
    expect(at('label')).toBeUndefined();
    expect(rest((location) => location !== 'target')).toBe('at target');
    expect(rest(() => true)).toBeNull();
  });
  it('without a member are said as a whole', () => {
    expect(objectionsOf(refused()).rest(() => true)).toBe('several');
    expect(objectionsOf(null).rest(() => true)).toBeNull();
  });
});

it('words', () => {
  expect(['Fitting', 'Category', 'Day', 'Box', 'Branch'].map(plural)).toEqual([
    'Fittings',
    'Categories',
    'Days',
    'Boxes',
    'Branches',
  ]);
  expect(latinKey({ en: ' 2nd Day of visit! ' })).toBe('nd_day_of_visit');
  expect(latinKey({ 'zh-CN': '试衣' })).toBe('');
  expect(moved(['a', 'b', 'c'], 'a', 2)).toEqual(['b', 'c', 'a']);
  expect(moved(['a', 'b', 'c'], 'c', -1)).toEqual(['c', 'a', 'b']);
});
