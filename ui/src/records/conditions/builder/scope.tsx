import { useQuery } from '@tanstack/react-query';
import { createContext, useContext, useMemo } from 'react';
import { type ObjectType, type Segment, segmentsQuery, type Trait } from '@/api';
import { type FieldContext, useFieldContext } from '@/fields';
import { useCan, useObjectsIfLoaded, useTraits } from '@/metadata';
import type { ConditionIssue } from '../validate';

export interface BuilderScope {
  object: ObjectType | undefined;
  objects: readonly ObjectType[];
  traits: readonly Trait[];
  segments: readonly Segment[];
  allowRecords: boolean;
  /** Events can be asked about: of customers, by those who may see what is worked out about them. */
  allowEvents: boolean;
  context: FieldContext;
  /** Shown at the leaves only after the first attempt to use the condition. */
  issues: readonly ConditionIssue[];
  /** What is wrong, by the id of the node. */
  faults: ReadonlyMap<string, string>;
  /** How many fulfil a node by itself, as text, by its id. */
  counts: ReadonlyMap<string, string>;
  readOnly: boolean;
}

const NO_FAULTS: ReadonlyMap<string, string> = new Map();

export interface ScopeOptions {
  object: string;
  allowTraits?: boolean;
  allowRecords?: boolean;
  allowSegments?: boolean;
  readOnly?: boolean;
}

const Scope = createContext<BuilderScope | null>(null);
export const ScopeProvider = Scope;

export function useScope(): BuilderScope {
  const scope = useContext(Scope);
  if (scope === null) throw new Error('a part of ConditionBuilder was used outside of it');
  return scope;
}

export function useMakeScope({
  object,
  allowTraits,
  allowRecords,
  allowSegments,
  readOnly,
}: ScopeOptions): BuilderScope {
  const objects = useObjectsIfLoaded();
  const traits = useTraits(allowTraits === true);
  const segments = useQuery({ ...segmentsQuery(), enabled: allowSegments === true }).data?.items;
  const context = useFieldContext();
  const seesTraits = useCan()('segment.read');
  return useMemo(
    () => ({
      object: objects.find((candidate) => candidate.key === object),
      objects,
      traits: allowTraits ? traits : [],
      segments: allowSegments ? (segments ?? []) : [],
      allowRecords: allowRecords === true,
      allowEvents: allowTraits === true && allowRecords === true && seesTraits,
      context,
      issues: [],
      faults: NO_FAULTS,
      counts: NO_FAULTS,
      readOnly: readOnly === true,
    }),
    [objects, object, traits, segments, allowTraits, allowRecords, allowSegments, seesTraits, context, readOnly],
  );
}
