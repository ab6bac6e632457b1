import { useQueries } from '@tanstack/react-query';
import { type Condition, type ObjectType, recordCountQuery } from '@/api';

export interface Relation {
  object: string;
  via: string;
  label: ObjectType['label'];
}

export const relationWhere = (via: string, id: string): Condition => ({ field: via, op: '=', value: id });

/** How many records of each related object there are; undefined while asking, or where nobody may know. */
export function useRelatedCounts(relations: readonly Relation[], id: string, enabled = true) {
  const answers = useQueries({
    queries: relations.map((relation) => ({
      ...recordCountQuery(relation.object, relationWhere(relation.via, id)),
      enabled,
      retry: false,
    })),
  });
  return answers.map((answer) => answer.data?.count);
}
