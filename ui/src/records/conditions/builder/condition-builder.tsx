import { IconPlus } from '@tabler/icons-react';
import { useEffect, useMemo, useReducer, useRef } from 'react';
import type { Condition } from '@/api';
import { useTranslation } from '@/i18n';
import { Button } from '@/ui';
import { faultsByNode, nodeLocations } from '../locations';
import { group, hasEmptyLeaf, leaf, reduceTree, type TreeAction, toCondition, toSections } from '../tree';
import type { EditNode, GroupNode } from '../types';
import { validateCondition } from '../validate';
import css from './builder.module.css';
import { GroupBox } from './group-box';
import { type ScopeOptions, ScopeProvider, useMakeScope } from './scope';

export interface ConditionState {
  /** False while a row is empty or lacks a value: do not ask the server yet. */
  complete: boolean;
}

interface Props extends ScopeOptions {
  where: Condition | null;
  onChange: (where: Condition | null, state: ConditionState) => void;
  /** What the server found wrong, by JSON pointer into `where`. */
  faults?: readonly { location: string; message: string }[];
  /** What stands at the end of each row and head of a group, by JSON pointer into `where`. */
  counts?: ReadonlyMap<string, string>;
  /** Shows what is missing too: after an attempt to save. */
  showProblems?: boolean;
}

const NO_COUNTS: ReadonlyMap<string, string> = new Map();
const NO_FAULTS: readonly { location: string; message: string }[] = [];
const emptyLeaves = (node: EditNode): string[] => {
  if (node.kind === 'group') return node.children.flatMap(emptyLeaves);
  return node.condition === null ? [node.id] : [];
};

const start = (where: Condition | null): GroupNode => {
  const root = toSections(where);
  return root.children.length === 0 ? group('all', [group('all', [leaf()])]) : root;
};

/**
 * Builds a condition about records of one object: cards joined by 且/或, each with rows and nested groups.
 * `where` is read when it comes from outside (another view, a reset); what the person edits goes out by onChange.
 */
export function ConditionBuilder({
  where,
  onChange,
  faults = NO_FAULTS,
  counts = NO_COUNTS,
  showProblems = false,
  ...options
}: Props) {
  const { t } = useTranslation('conditions');
  const base = useMakeScope(options);
  const [root, apply] = useReducer((_: GroupNode, next: GroupNode) => next, where, start);
  const newest = useRef(root);
  const sent = useRef(JSON.stringify(where));

  const scope = useMemo(() => {
    const { objects, traits } = base;
    const condition = showProblems ? toCondition(root) : null;
    const own = condition === null ? [] : validateCondition(condition, options.object, { objects, traits });
    const messages = own.map(({ location, problem }) => ({ location, message: t(`conditions:problem.${problem}`) }));
    const byNode = faultsByNode(root, [...messages, ...faults]);
    if (showProblems) for (const id of emptyLeaves(root)) byNode.set(id, t('conditions:pick.choose'));
    const said = new Map<string, string>();
    for (const [id, place] of counts.size > 0 ? nodeLocations(root) : []) {
      const text = counts.get(place);
      if (text !== undefined) said.set(id, text);
    }
    return { ...base, faults: byNode, counts: said };
  }, [base, root, faults, counts, showProblems, options.object, t]);

  useEffect(() => {
    const text = JSON.stringify(where);
    if (text === sent.current) return;
    sent.current = text;
    newest.current = start(where);
    apply(newest.current);
  }, [where]);

  const dispatch = (action: TreeAction) => {
    const next = reduceTree(newest.current, action);
    newest.current = next;
    apply(next);
    const condition = toCondition(next);
    sent.current = JSON.stringify(condition);
    const complete =
      condition !== null &&
      !hasEmptyLeaf(next) &&
      validateCondition(condition, options.object, { objects: scope.objects, traits: scope.traits }).length === 0;
    onChange(condition, { complete: complete || condition === null });
  };

  const addGroup = () => dispatch({ type: 'add', parent: root.id, node: group('all', [leaf()]) });
  return (
    <ScopeProvider value={scope}>
      <div className={css.builder}>
        {root.children.map(
          (child, at) =>
            child.kind === 'group' && (
              <div key={child.id} className={css.section}>
                {at > 0 && (
                  <button
                    type="button"
                    className={css.connector}
                    title={t('conditions:toggleConnector')}
                    disabled={scope.readOnly}
                    onClick={() => dispatch({ type: 'mode', id: root.id, mode: root.mode === 'all' ? 'any' : 'all' })}
                  >
                    {root.mode === 'all' ? t('conditions:and') : t('conditions:or')}
                  </button>
                )}
                <GroupBox
                  node={child}
                  dispatch={dispatch}
                  depth={1}
                  onRemove={() => dispatch({ type: 'remove', id: child.id })}
                  onDuplicate={() => dispatch({ type: 'duplicate', id: child.id })}
                />
              </div>
            ),
        )}
        {!scope.readOnly && (
          <div className={css.addGroup}>
            <Button icon={<IconPlus size={15} />} onClick={addGroup}>
              {t('conditions:addGroup')}
            </Button>
          </div>
        )}
      </div>
    </ScopeProvider>
  );
}
