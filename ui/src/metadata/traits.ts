import { useQuery } from '@tanstack/react-query';
import { type Field, type FieldType, type Trait, type TraitType, traitsQuery } from '@/api';
import { useCan } from './session';

const AS_FIELD: Record<TraitType, FieldType> = {
  integer: 'number',
  decimal: 'number',
  money: 'money',
  date: 'date',
  datetime: 'datetime',
  choice: 'choice',
  text: 'text',
  bool: 'bool',
  tags: 'tags',
};

/** A trait in the shape of a field, so that the one registry shows, compares and aligns it. */
export function traitAsField(trait: Trait): Field {
  return {
    key: `trait.${trait.key}`,
    type: AS_FIELD[trait.type],
    label: trait.label,
    help: trait.definition,
    section: trait.group_key,
    required: false,
    unique: false,
    personal: false,
    read_only: true,
    operation_only: false,
    filterable: true,
    sortable: trait.sortable,
    searchable: false,
    ...(trait.options && { options: trait.options }),
    ...(trait.unit && { unit: trait.unit }),
    scale: trait.type === 'integer' ? 0 : 2,
    operators: trait.operators,
    access: 'read',
  };
}

/** The catalogue; empty for those who may not see traits. */
export function useTraits(enabled = true): Trait[] {
  const can = useCan();
  return useQuery({ ...traitsQuery(), enabled: enabled && can('segment.read') }).data?.items ?? [];
}

export interface TraitGroup {
  key: string;
  label: Trait['group'];
  traits: Trait[];
}

export function groupTraits(traits: readonly Trait[]): TraitGroup[] {
  const groups = new Map<string, TraitGroup>();
  for (const trait of traits) {
    const group = groups.get(trait.group_key) ?? { key: trait.group_key, label: trait.group, traits: [] };
    group.traits.push(trait);
    groups.set(trait.group_key, group);
  }
  return [...groups.values()];
}
