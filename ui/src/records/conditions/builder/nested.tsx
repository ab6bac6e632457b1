import { useMemo, useReducer, useRef } from 'react';
import type { Condition } from '@/api';
import { useTranslation } from '@/i18n';
import { group, leaf, reduceTree, type TreeAction, toCondition, toSections } from '../tree';
import type { GroupNode } from '../types';
import css from './builder.module.css';
import { GroupBox } from './group-box';
import { ScopeProvider, useScope } from './scope';

interface Props {
  object: string;
  where: Condition;
  onChange: (where: Condition | null) => void;
}

function start(where: Condition): GroupNode {
  const root = toSections(where);
  const [first] = root.children;
  if (root.children.length === 1 && first?.kind === 'group') return first;
  return root.children.length === 0 ? group('all', [leaf()]) : root;
}

/** Conditions on the related records themselves: "其中 金额 大于 500". One group, about the other object. */
export function NestedConditions({ object, where, onChange }: Props) {
  const { t } = useTranslation('conditions');
  const outer = useScope();
  const scope = useMemo(
    () => ({
      ...outer,
      object: outer.objects.find((candidate) => candidate.key === object),
      traits: [],
      segments: [],
      allowRecords: false,
      allowEvents: false,
      issues: [],
    }),
    [outer, object],
  );
  const [root, apply] = useReducer((_: GroupNode, next: GroupNode) => next, where, start);
  const newest = useRef(root);
  const dispatch = (action: TreeAction) => {
    const next = reduceTree(newest.current, action);
    newest.current = next;
    apply(next);
    if (next.children.length === 0) onChange(null);
    else onChange(toCondition(group('all', [next])) ?? { all: [] });
  };
  return (
    <div className={css.nested}>
      <span className={css.nestedLabel}>{t('conditions:behaviour.whereLabel')}</span>
      <ScopeProvider value={scope}>
        <GroupBox node={root} dispatch={dispatch} depth={2} onRemove={() => onChange(null)} />
      </ScopeProvider>
    </div>
  );
}
