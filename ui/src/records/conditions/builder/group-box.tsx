import { IconArrowsSplit2, IconBan, IconCopy, IconPlus, IconTrash } from '@tabler/icons-react';
import type { Operator } from '@/api';
import { useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { Button, IconButton, SegmentedControl } from '@/ui';
import { group, isField, isTrait, leaf, type TreeAction } from '../tree';
import type { EditNode, GroupNode, LeafNode } from '../types';
import css from './builder.module.css';
import { isEditable, LeafEditor } from './leaf-editor';
import { useScope } from './scope';
import { SubjectPicker } from './subject-picker';

const DEEPEST = 3;

interface LeafProps {
  node: LeafNode;
  dispatch: (action: TreeAction) => void;
}
function LeafRow({ node, dispatch }: LeafProps) {
  const { t } = useTranslation('conditions');
  const { readOnly, faults, counts, segments } = useScope();
  const fault = faults.get(node.id);
  const count = counts.get(node.id);
  const positive = positiveOf(node.condition);
  const set = (condition: LeafNode['condition']) => dispatch({ type: 'set', id: node.id, condition });
  return (
    <>
      <div className={css.fields} inert={readOnly}>
        {node.not && <span className={css.not}>{t('conditions:not')}</span>}
        {(node.condition === null || isEditable(node.condition, segments)) && (
          <SubjectPicker condition={node.condition} onChange={set} />
        )}
        {node.condition !== null && <LeafEditor key={subjectKey(node)} condition={node.condition} onChange={set} />}
        {positive !== null && !node.not && !readOnly && (
          <button
            type="button"
            className={css.withNone}
            title={t('conditions:withNoneHelp')}
            onClick={() => {
              set(positive);
              dispatch({ type: 'not', id: node.id, not: true });
            }}
          >
            {t('conditions:withNone')}
          </button>
        )}
        {fault !== undefined && (
          <p className={css.fault} role="alert">
            {fault}
          </p>
        )}
      </div>
      {count !== undefined && <span className={css.count}>{count}</span>}
      {!readOnly && (
        <div className={css.rowActions}>
          <IconButton
            label={node.not ? t('conditions:includeThis') : t('conditions:excludeThis')}
            icon={<IconBan size={15} stroke={1.6} />}
            active={node.not}
            onClick={() => dispatch({ type: 'not', id: node.id, not: !node.not })}
          />
          <IconButton
            label={t('conditions:removeCondition')}
            icon={<IconTrash size={15} stroke={1.6} />}
            onClick={() => dispatch({ type: 'remove', id: node.id })}
          />
        </div>
      )}
    </>
  );
}
const POSITIVE: Partial<Record<string, Operator>> = { '!=': '=', not_in: 'in', not_contains: 'contains' };
/** What "is not" is the negation of: excluded, that takes in those without a value. */
function positiveOf(condition: LeafNode['condition']): LeafNode['condition'] {
  if (condition === null || !(isField(condition) || isTrait(condition))) return null;
  const op = POSITIVE[condition.op];
  return op === undefined ? null : { ...condition, op };
}

/** Editors keep state of their own (open lists, digits); a new subject starts afresh. */
const subjectKey = (node: LeafNode): string => {
  const condition = node.condition ?? {};
  const { field, trait, record } = condition as { field?: string; trait?: string; record?: string };
  return `${Object.keys(condition)[0]}|${field}|${trait}|${record}`;
};

interface Props {
  node: GroupNode;
  dispatch: (action: TreeAction) => void;
  depth: number;
  onRemove: () => void;
  onDuplicate?: () => void;
}

/** One card (depth 1) or a box inside it: mode, rows joined by 且 or 或, and what can be added. */
export function GroupBox({ node, dispatch, depth, onRemove, onDuplicate }: Props) {
  const { t } = useTranslation('conditions');
  const { readOnly, faults, counts } = useScope();
  const groupFault = faults.get(node.id);
  const count = node.children.length > 1 ? counts.get(node.id) : undefined;
  const joiner = node.mode === 'all' ? t('conditions:and') : t('conditions:or');
  const row = (child: EditNode) =>
    child.kind === 'leaf' ? (
      <LeafRow node={child} dispatch={dispatch} />
    ) : (
      <div className="grow">
        <GroupBox
          node={child}
          dispatch={dispatch}
          depth={depth + 1}
          onRemove={() => dispatch({ type: 'remove', id: child.id })}
        />
      </div>
    );
  return (
    <section className={cx(css.group, depth === 1 && css.card)} aria-label={t('conditions:group')}>
      <header className={css.head}>
        <SegmentedControl
          label={t('conditions:mode')}
          value={node.mode}
          onChange={(mode) => dispatch({ type: 'mode', id: node.id, mode })}
          options={[
            { value: 'all', label: t('conditions:all') },
            { value: 'any', label: t('conditions:any') },
          ]}
          disabled={readOnly}
        />
        {node.not && <span className={css.not}>{t('conditions:excluded')}</span>}
        {groupFault !== undefined && (
          <span className={css.fault} role="alert">
            {groupFault}
          </span>
        )}
        <span className="grow" />
        {count !== undefined && <span className={css.count}>{count}</span>}
        {!readOnly && (
          <>
            <IconButton
              label={node.not ? t('conditions:includeThis') : t('conditions:excludeThis')}
              icon={<IconBan size={16} stroke={1.6} />}
              active={node.not}
              onClick={() => dispatch({ type: 'not', id: node.id, not: !node.not })}
            />
            {onDuplicate !== undefined && (
              <IconButton
                label={t('conditions:duplicate')}
                icon={<IconCopy size={16} stroke={1.6} />}
                onClick={onDuplicate}
              />
            )}
            <IconButton
              label={t('conditions:removeGroup')}
              icon={<IconTrash size={16} stroke={1.6} />}
              onClick={onRemove}
            />
          </>
        )}
      </header>
      {node.children.map((child, at) => (
        <div key={child.id} className={css.row}>
          <span className={css.joiner}>{at === 0 ? '' : joiner}</span>
          {row(child)}
        </div>
      ))}
      {!readOnly && (
        <div className={css.adders}>
          <Button
            kind="subtle"
            icon={<IconPlus size={15} />}
            onClick={() => dispatch({ type: 'add', parent: node.id, node: leaf() })}
          >
            {t('conditions:addCondition')}
          </Button>
          {depth < DEEPEST && (
            <Button
              kind="subtle"
              icon={<IconArrowsSplit2 size={15} />}
              onClick={() =>
                dispatch({ type: 'add', parent: node.id, node: group(node.mode === 'all' ? 'any' : 'all', [leaf()]) })
              }
            >
              {t('conditions:addNested')}
            </Button>
          )}
        </div>
      )}
    </section>
  );
}
