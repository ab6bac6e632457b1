import { describe, expect, it } from 'vitest';
import type { ImportRun } from '@/api';
import {
  draftOf,
  mappingOf,
  missingTargets,
  reduceMapping,
  refundChoice,
  refundRule,
  rereadOf,
  targetsOf,
} from './mapping';

const column = (name: string) => ({ name, samples: [], reads: [], suggested: null });
const target = (key: string, required = false) => ({
  key,
  label: { en: key },
  group: { en: 'g' },
  type: 'text',
  required,
  match: false,
});
const run = (over: Partial<ImportRun>): ImportRun =>
  ({
    id: 'imp_1',
    object: 'order',
    file_name: 'a.csv',
    size: 1,
    status: 'uploaded',
    created_at: '',
    created_by: null,
    format: { kind: 'csv', delimiter: ',', header: true },
    columns: ['InvoiceNo', 'When', 'Who', 'City', 'District'].map(column),
    targets: [
      target('order.number'),
      target('order.at', true),
      target('order.customer.external_id'),
      target('order.region'),
    ],
    mapping: {
      order: { number: 'InvoiceNo', placed_at: '2', customer: 'Who', region: ['City', 'District'] },
      line: {},
      options: { refund_when: 'quantity<0' },
    },
    preview: [],
    warnings: [],
    progress: null,
    result: null,
    errors_sample: [],
    skipped_sample: [],
    error: null,
    ...over,
  }) as ImportRun;

describe('purchase files', () => {
  it('reads names, numbers, aliases and joined columns', () => {
    const draft = draftOf(run({}));
    expect(draft.columns).toEqual({
      'order.number': ['InvoiceNo'],
      'order.at': ['When'],
      'order.customer.external_id': ['Who'],
      'order.region': ['City', 'District'],
    });
    expect(targetsOf(draft, 'District')).toEqual(['order.region']);
  });

  it('writes what it read', () => {
    expect(mappingOf(draftOf(run({})))).toEqual({
      format: { kind: 'csv', delimiter: ',', header: true },
      order: { number: 'InvoiceNo', at: 'When', 'customer.external_id': 'Who', region: ['City', 'District'] },
      line: {},
      options: { refund_when: 'quantity<0' },
    });
  });

  it('moves a column from one target to another and lets it go', () => {
    let draft = draftOf(run({}));
    draft = reduceMapping(draft, { type: 'assign', column: 'District', from: 'order.region', to: null });
    expect(draft.columns['order.region']).toEqual(['City']);
    draft = reduceMapping(draft, { type: 'assign', column: 'When', from: 'order.at', to: 'order.number' });
    expect(draft.columns['order.at']).toBeUndefined();
    expect(draft.columns['order.number']).toEqual(['InvoiceNo', 'When']);
    expect(missingTargets(draft, run({}).targets).map((entry) => entry.key)).toEqual(['order.at']);
    expect(reduceMapping(draft, { type: 'load', run: run({}) })).toEqual(draftOf(run({})));
  });

  it('lets one column fill several targets', () => {
    const draft = reduceMapping(draftOf(run({})), { type: 'assign', column: 'Who', from: null, to: 'order.number' });
    expect(targetsOf(draft, 'Who')).toEqual(['order.number', 'order.customer.external_id']);
  });

  it('asks for another reading with the change alone and the options that the file does not show', () => {
    let draft = draftOf(run({}));
    draft = reduceMapping(draft, {
      type: 'option',
      options: { currency: 'GBP', decimal_comma: true, order_key: ['at'] },
    });
    expect(rereadOf(draft, { delimiter: ';' }, new Set(['currency']))).toEqual({
      format: { delimiter: ';' },
      options: { refund_when: 'quantity<0', currency: 'GBP' },
    });
    expect(rereadOf(draft, { header: false }, new Set(['decimal_comma']))).toEqual({
      format: { header: false },
      options: { refund_when: 'quantity<0', currency: 'GBP', decimal_comma: true },
    });
  });

  it('takes what the server suggests of a new reading, or what was mapped under it before', () => {
    const draft = draftOf(run({}));
    const next = run({ columns: ['A', 'B'].map(column), mapping: { order: { at: 'B' }, line: {} } });
    expect(reduceMapping(draft, { type: 'load', run: next }).columns).toEqual({ 'order.at': ['B'] });
    const before = { 'order.at': ['A'] };
    expect(reduceMapping(draft, { type: 'load', run: next, columns: before }).columns).toEqual(before);
  });
});

describe('other files', () => {
  const plain = run({
    object: 'customer',
    columns: ['Name', 'phone'].map(column),
    targets: [target('name', true), target('phone')],
    mapping: { fields: { name: 'Name' }, options: { match: 'phone', on_error: 'skip', lenient: false } },
  });
  it('uses fields and leaves empty options out', () => {
    const draft = reduceMapping(draftOf(plain), { type: 'option', options: { match: undefined, on_error: 'stop' } });
    expect(mappingOf(draft)).toMatchObject({ fields: { name: 'Name' }, options: { on_error: 'stop' } });
    expect(mappingOf(draft).options).not.toHaveProperty('match');
    expect(mappingOf(draft)).not.toHaveProperty('order');
  });
});

it('misses a required relation only when nothing names its record', () => {
  const targets = [target('customer', true), { ...target('customer.phone'), via: 'customer' }];
  const of = (fields: Record<string, string>) =>
    draftOf(run({ object: 'contact', columns: ['a'].map(column), targets, mapping: { fields } }));
  expect(missingTargets(of({}), targets).map(({ key }) => key)).toEqual(['customer']);
  expect(missingTargets(of({ 'customer.phone': 'a' }), targets)).toEqual([]);
  expect(missingTargets(of({ customer: 'a' }), targets)).toEqual([]);
});

it('sends rules of mapped targets alone, and match fields that are mapped', () => {
  const targets = [target('name', true), { ...target('phone'), match: true }];
  const draft = draftOf(
    run({
      object: 'customer',
      columns: ['a', 'b'].map(column),
      targets,
      mapping: {
        fields: { name: 'a', phone: 'b' },
        rules: { phone: { only_empty: true } },
        options: { match: 'phone', mode: 'update' },
      },
    }),
  );
  expect(mappingOf(draft)).toMatchObject({
    rules: { phone: { only_empty: true } },
    options: { match: ['phone'], mode: 'update' },
  });
  const without = reduceMapping(draft, { type: 'assign', column: 'b', from: 'phone', to: null });
  expect(mappingOf(without)).not.toHaveProperty('rules');
  expect(mappingOf(without).options).toEqual({});
});

it('knows the usual refund rules', () => {
  for (const rule of ['quantity<0', 'amount<0', 'number starts_with C', 'status = refunded'])
    expect(refundRule(refundChoice(rule).choice, refundChoice(rule).text)).toBe(rule);
  expect(refundChoice(undefined).choice).toBe('none');
  expect(refundRule('prefix', ' ')).toBeUndefined();
});
