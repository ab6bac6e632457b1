import { IconActivity, IconArrowBarToUp, IconArrowsShuffle, IconChartBar, IconFilter } from '@tabler/icons-react';
import { useMemo } from 'react';
import type { Condition, Field, ObjectType, Operator, Trait } from '@/api';
import { emptyOperand, operatorsOf } from '@/fields';
import { labelText, useTranslation } from '@/i18n';
import { canRead, groupTraits, resolvePath, sectionOf, traitAsField } from '@/metadata';
import { ObjectIcon, type PickerGroup } from '@/ui';
import { lifecycleKind } from '../events';
import {
  isEvent,
  isField,
  isLifecycle,
  isList,
  isRandom,
  isRecord,
  isSegment,
  isSequence,
  isTop,
  isTrait,
} from '../tree';
import { type BuilderScope, useScope } from './scope';

const MANY = new Set(['relation_many', 'json']);

const askable = (field: Field): boolean => canRead(field) && field.filterable && !MANY.has(field.type);

const holdsFiles = (field: Field): boolean => (field.type === 'file' || field.type === 'image') && (field.max ?? 1) > 1;

function fieldGroups(scope: BuilderScope, t: (key: string, values?: object) => string): PickerGroup[] {
  const { object, context } = scope;
  if (object === undefined) return [];
  const name = (label: Field['label'], key: string) => labelText(label, context.language, key);
  const sections = new Map<string, PickerGroup>();
  const related: PickerGroup[] = [];
  for (const field of object.fields) {
    if (!askable(field)) continue;
    const key = sectionOf(field);
    const group = sections.get(key) ?? { label: t(`fields:section.${key}`, { defaultValue: key }), items: [] };
    group.items.push({ value: `field:${field.key}`, label: name(field.label, field.key), keywords: field.key });
    if (holdsFiles(field))
      group.items.push({
        value: `field:${field.key}.count`,
        label: t('conditions:pick.fileCount', { name: name(field.label, field.key) }),
        keywords: `${field.key}.count`,
      });
    sections.set(key, group);
    const target =
      field.type === 'relation' ? scope.objects.find((candidate) => candidate.key === field.target) : undefined;
    if (target === undefined || target.key === 'user') continue;
    const items = target.fields
      .filter((inner) => askable(inner) && inner.type !== 'relation')
      .map((inner) => ({
        value: `field:${field.key}.${inner.key}`,
        label: `${name(field.label, field.key)} \u203a ${name(inner.label, inner.key)}`,
        keywords: `${field.key}.${inner.key}`,
      }));
    if (items.length > 0)
      related.push({ label: t('conditions:pick.of', { name: name(field.label, field.key) }), items });
  }
  return [...sections.values(), ...related];
}

/** Records of other objects that point here; those of the same object are reached by their fields. */
const relatedObjects = (scope: BuilderScope): ObjectType[] => {
  const keys = new Set(scope.object?.related.map((relation) => relation.object));
  keys.delete(scope.object?.key ?? '');
  return scope.objects.filter((candidate) => keys.has(candidate.key));
};

/** Everything a condition can be about, in groups. Values are "field:…", "trait:…", "record:…", "segment:". */
export function useSubjects(): PickerGroup[] {
  const scope = useScope();
  const { t } = useTranslation(['conditions', 'fields']);
  return useMemo(() => {
    const { language } = scope.context;
    const groups: PickerGroup[] = [];
    const say = (key: string, values?: object) => t(key, values as Record<string, unknown>) as string;
    const behaviours = scope.allowRecords ? relatedObjects(scope) : [];
    if (scope.allowEvents)
      groups.push({
        label: t('conditions:pick.events'),
        items: BEHAVIOURS.map((kind) => ({
          value: `${kind}:`,
          label: t(`conditions:kind.${kind}`),
          icon: <IconActivity size={15} />,
          hint: t(`conditions:pick.hint.${kind}`),
          keywords: kind,
        })),
      });
    if (behaviours.length > 0)
      groups.push({
        label: t('conditions:pick.behaviour'),
        items: behaviours.map((object) => ({
          value: `record:${object.key}`,
          label: labelText(object.label, language, object.key),
          icon: <ObjectIcon name={object.icon} size={15} />,
          hint: t('conditions:pick.behaviourHint'),
          keywords: object.key,
        })),
      });
    if (scope.segments.length > 0)
      groups.push({
        label: t('conditions:pick.segment'),
        items: [{ value: 'segment:', label: t('conditions:pick.segmentItem'), icon: <IconFilter size={15} /> }],
      });
    if (scope.traits.length > 0)
      groups.push({
        label: t('conditions:pick.people'),
        items: [
          { value: 'top:', label: t('conditions:kind.top'), icon: <IconArrowBarToUp size={15} />, keywords: 'top' },
          {
            value: 'random:',
            label: t('conditions:kind.random'),
            icon: <IconArrowsShuffle size={15} />,
            keywords: 'random sample',
          },
        ],
      });
    groups.push(...fieldGroups(scope, say));
    for (const group of groupTraits(scope.traits))
      groups.push({
        label: `${t('conditions:pick.trait')} \u00b7 ${labelText(group.label, language, group.key)}`,
        items: group.traits.map((trait) => ({
          value: `trait:${trait.key}`,
          label: labelText(trait.label, language, trait.key),
          icon: <IconChartBar size={15} />,
          keywords: trait.key,
        })),
      });
    return groups;
  }, [scope, t]);
}

/** What can be asked about events. */
const BEHAVIOURS = ['event', 'sequence', 'first', 'stopped', 'resumed'] as const;

const RANKED = new Set<Trait['type']>(['integer', 'decimal', 'money', 'date']);
/** The traits by which people can be put in an order. */
export const rankable = (traits: readonly Trait[]): Trait[] =>
  traits.filter((trait) => trait.sortable && RANKED.has(trait.type));

/** Another draw than any before it. */
const newSalt = (): string => crypto.getRandomValues(new Uint32Array(1))[0]?.toString(36) ?? 'a';

const COUNTED = new Set<Field['type']>(['number', 'money']);
/** Amounts are seldom asked for to the penny: "at least" is what people mean. */
function usualOperator(field: Field): Operator | undefined {
  const offered = operatorsOf(field);
  return COUNTED.has(field.type) && offered.includes('>=') ? '>=' : offered[0];
}

/** A first condition about a chosen subject: its most usual operator and an empty value. */
export function startCondition(subject: string, scope: BuilderScope): Condition | null {
  const at = subject.indexOf(':');
  const kind = subject.slice(0, at);
  const key = subject.slice(at + 1);
  if (kind === 'event') return { event: '', within: { days: 30 } };
  if (kind === 'sequence') return { sequence: [{ event: '' }, { event: '' }], op: 'did', within: { days: 30 } };
  if (kind === 'first') return { first: { event: '' }, within: { days: 30 } };
  if (kind === 'stopped') return { stopped: { event: '' }, for: { days: 30 } };
  if (kind === 'resumed') return { resumed: { event: '' }, after: { days: 30 } };
  if (kind === 'random') return { random: { percent: 10, salt: newSalt() } };
  if (kind === 'top') {
    const offered = rankable(scope.traits);
    const trait = offered.find((candidate) => candidate.type === 'money') ?? offered[0];
    return trait === undefined ? null : { top: { trait: trait.key, count: 100 } };
  }
  if (kind === 'segment') return { segment: scope.segments[0]?.key ?? '', op: 'in' };
  if (kind === 'record') return { record: key, aggregate: 'count', op: '>=', value: 1, within: { days: 90 } };
  const field = fieldOf({ [kind]: key } as unknown as Condition, scope);
  const op = field === null ? undefined : usualOperator(field);
  if (field === null || op === undefined) return null;
  const value = emptyOperand(op, field) as never;
  return kind === 'trait' ? { trait: key, op, value } : { field: key, op, value };
}

/** The field (or the trait as one) that a condition compares. */
export function fieldOf(condition: Condition, scope: BuilderScope): Field | null {
  if (isField(condition)) return resolvePath(scope.objects, scope.object?.key ?? '', condition.field)?.field ?? null;
  if (isTrait(condition)) {
    const trait = scope.traits.find((candidate) => candidate.key === condition.trait);
    return trait === undefined ? null : traitAsField(trait);
  }
  return null;
}

export function subjectOf(condition: Condition): string {
  if (isField(condition)) return `field:${condition.field}`;
  if (isTrait(condition)) return `trait:${condition.trait}`;
  if (isRecord(condition)) return `record:${condition.record}`;
  if (isSegment(condition) || isList(condition)) return 'segment:';
  if (isEvent(condition)) return 'event:';
  if (isSequence(condition)) return 'sequence:';
  if (isLifecycle(condition)) return `${lifecycleKind(condition)}:`;
  if (isRandom(condition)) return 'random:';
  return isTop(condition) ? 'top:' : '';
}
