import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ApiDocument } from '@/api';
import { curlOf, exampleOf, groupsOf, membersOf, typeOf } from './reference';

const doc = JSON.parse(readFileSync('../docs/openapi.json', 'utf8')) as ApiDocument;

describe('the interface document', () => {
  it('is grouped, objects first, without what only the machine itself may call', () => {
    const groups = groupsOf(doc, '');
    expect(groups[0]?.key).toMatch(/^records\./);
    expect(groups.map((group) => group.key)).not.toContain('local');
    const total = Object.values(doc.paths).flatMap((methods) => Object.values(methods));
    expect(groups.reduce((sum, group) => sum + group.operations.length, 0)).toBe(
      total.filter((operation) => operation.tags[0] !== 'local').length,
    );
  });

  it('keeps the objects in the order of the workspace', () => {
    const keys = groupsOf(doc, '', ['order', 'customer']).map((group) => group.key);
    expect(keys.indexOf('records.customer') - keys.indexOf('records.order')).toBe(1);
  });

  it('is searched by path and by words', () => {
    const found = groupsOf(doc, 'records/customer/{id}').flatMap((group) => group.operations);
    expect(found.map((operation) => operation.method).sort()).toEqual(['DELETE', 'GET', 'PATCH']);
    expect(groupsOf(doc, 'no such thing')).toEqual([]);
  });

  it('names types and members through references', () => {
    const create = groupsOf(doc, '')
      .find((group) => group.key === 'records.customer')
      ?.operations.find((operation) => operation.method === 'POST' && operation.path.endsWith('/customer'));
    expect(create?.body).toBeDefined();
    const members = membersOf(doc, create?.body?.schema ?? {});
    expect(members.map(([name]) => name)).toEqual(['fields']);
    expect(typeOf(doc, members[0]?.[1] ?? {})).toBe('Fields_customer');
    expect(typeOf(doc, { type: ['array', 'null'], items: { type: 'string', format: 'date' } })).toBe('string (date)[]');
  });

  it('makes a command for every operation, whose body is JSON', () => {
    for (const operation of groupsOf(doc, '').flatMap((group) => group.operations)) {
      const text = curlOf(doc, operation, 'https://crm.example.com');
      expect(text).toContain(`https://crm.example.com${operation.path}`);
      const sent = /-d '(.*)'$/s.exec(text)?.[1];
      if (sent !== undefined) expect(() => JSON.parse(sent.replaceAll(String.raw`'\''`, "'"))).not.toThrow();
    }
  });

  it('shows what is needed in an example', () => {
    const name = Object.entries(doc.components.schemas).find(([, schema]) => schema.required?.includes('name'));
    expect(exampleOf(doc, { $ref: `#/components/schemas/${name?.[0]}` })).toHaveProperty('name');
  });
});
