import { IconPlus, IconTrash } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { useTranslation } from '@/i18n';
import { Button, IconButton, Panel, Switch } from '@/ui';
import css from './object.module.css';

/** A rule while it is written; the number tells rules without a key apart. */
export type Draft<R> = R & { id: number };

const drafts = <R,>(rules: readonly R[]): Draft<R>[] => rules.map((rule, id) => ({ ...rule, id }));

export interface RuleDrafts<R> {
  rules: readonly Draft<R>[];
  touched: boolean;
  add: (rule: R) => void;
  change: (rule: Draft<R>) => void;
  remove: (id: number) => void;
  /** What the server has after saving. */
  reset: (stored: readonly R[]) => void;
}

/** The rules of an object, changed here and saved together. */
export function useRuleDrafts<R>(stored: readonly R[]): RuleDrafts<R> {
  const [rules, setRules] = useState(() => drafts(stored));
  const [touched, setTouched] = useState(false);
  const update = (next: Draft<R>[]) => {
    setTouched(true);
    setRules(next);
  };
  return {
    rules,
    touched,
    add: (rule) => update([...rules, { ...rule, id: 1 + Math.max(-1, ...rules.map(({ id }) => id)) }]),
    change: (rule) => update(rules.map((each) => (each.id === rule.id ? rule : each))),
    remove: (id) => update(rules.filter((each) => each.id !== id)),
    reset: (next) => {
      setRules(drafts(next));
      setTouched(false);
    },
  };
}

interface PanelProps {
  title: ReactNode;
  /** Names of the switch and of the button that takes the rule away. */
  on: string;
  remove: string;
  active: boolean;
  onActive: (on: boolean) => void;
  onRemove: () => void;
  children: ReactNode;
}
export function RulePanel({ title, on, remove, active, onActive, onRemove, children }: PanelProps) {
  return (
    <Panel
      title={title}
      aside={
        <span className="row">
          <Switch label={on} checked={active} onChange={onActive} />
          <IconButton label={remove} icon={<IconTrash size={16} />} onClick={onRemove} />
        </span>
      }
    >
      <div className={css.fields}>{children}</div>
    </Panel>
  );
}

interface ListProps {
  about: string;
  none: string;
  add: string;
  /** What the server says and what stands at no input. */
  rest: string | null;
  most?: number;
  count: number;
  ready: boolean;
  busy: boolean;
  onAdd: () => void;
  onSave: () => void;
  /** Further buttons beside those that add and save. */
  more?: ReactNode;
  children: ReactNode;
}
export function RuleList({
  about,
  none,
  add,
  rest,
  most,
  count,
  ready,
  busy,
  onAdd,
  onSave,
  more,
  children,
}: ListProps) {
  const { t } = useTranslation('common');
  return (
    <div className="stack">
      <p className="muted">{about}</p>
      {count === 0 && <p className="muted">{none}</p>}
      {children}
      {rest !== null && (
        <p className={css.refused} role="alert">
          {rest}
        </p>
      )}
      <div className="row">
        <Button icon={<IconPlus size={15} />} disabled={most !== undefined && count >= most} onClick={onAdd}>
          {add}
        </Button>
        <Button kind="primary" disabled={!ready} loading={busy} onClick={onSave}>
          {t('common:save')}
        </Button>
        {more}
      </div>
    </div>
  );
}
