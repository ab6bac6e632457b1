import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { type Figure, type FigureGroup, figureScope, figuresQuery, type Measure, type MeasureFunc } from '@/api';
import { type FieldContext, kindOf } from '@/fields';
import { figureText, groupName, groupText, measureOf, targetField } from '../figures';
import type { Grouping } from '../grid/grid-props';
import type { Totals } from '../grid/grid-totals';
import { joinConditions } from '../list-state';
import type { List } from './use-list';

const TRAIT = 'trait.';
/** Groups on one page: more are found by filtering. */
const MOST_GROUPS = 500;

interface Asked {
  columns: string[];
  measures: Measure[];
}

/** The figures that the shown columns ask for, apart for fields and traits: the quicker ones need not wait. */
function asked(list: List, traits: boolean): Asked {
  const chosen = list.state.options.totals ?? {};
  const columns = list.columns
    .map((column) => column.key)
    .filter((key) => chosen[key] && key.startsWith(TRAIT) === traits);
  return { columns, measures: columns.map((key) => measureOf(key, chosen[key] as MeasureFunc)) };
}

function textOf(list: List, column: string, figure: Figure, context: FieldContext): string {
  const func = list.state.options.totals?.[column];
  const field = list.columns.find((candidate) => candidate.key === column)?.field ?? null;
  return func === undefined ? '' : figureText(figure, func, field, context);
}

/** The row of figures under the list; null while nobody asked for one. */
export function useTotals(list: List, context: FieldContext): Totals | null {
  const { object, state } = list;
  const chosen = state.options.totals;
  const on = chosen !== undefined && !state.deleted;
  const scope = figureScope(state.where, state.q);
  const fields = asked(list, false);
  const traits = asked(list, true);
  const plain = useQuery({
    ...figuresQuery(object.key, { ...scope, measures: fields.measures }),
    enabled: on && fields.measures.length > 0 && list.ready,
  });
  const slow = useQuery({
    ...figuresQuery(object.key, { ...scope, measures: traits.measures }),
    enabled: on && traits.measures.length > 0 && list.ready && state.q === '',
  });
  if (!on) return null;
  return {
    chosen,
    text(column) {
      const trait = column.startsWith(TRAIT);
      const [answer, question] = trait ? [slow, traits] : [plain, fields];
      // Searching by text and figures of traits do not go together.
      if (answer.isError || (trait && state.q !== '')) return '\u2013';
      const at = question.columns.indexOf(column);
      if (answer.data === undefined || answer.isPlaceholderData || at < 0) return null;
      return textOf(list, column, answer.data.total.measures[at] ?? null, context);
    },
    choose(column, func) {
      const { [column]: _, ...rest } = chosen;
      list.setOptions({ totals: func === null ? rest : { ...rest, [column]: func } });
    },
  };
}

export interface Groups {
  grouping: Grouping | null;
  /** Words for what went wrong, null when nothing did. */
  error: unknown;
  pending: boolean;
  more: boolean;
  allOpen: boolean;
  setAllOpen: (open: boolean) => void;
}

/** The groups of a list with their counts and figures. All are open until somebody closes them. */
export function useGroups(list: List, context: FieldContext): Groups {
  const { object, traits, state } = list;
  const group = state.options.group;
  const field = targetField(group, object, traits);
  const on = group !== undefined && field !== null && state.kind === 'list' && !state.deleted;
  const figures = useMemo(() => {
    const of = [asked(list, false), asked(list, true)];
    return { columns: of.flatMap((part) => part.columns), measures: of.flatMap((part) => part.measures) };
  }, [list]);
  const answer = useQuery({
    ...figuresQuery(object.key, {
      ...figureScope(state.where, state.q),
      ...(group !== undefined && { group_by: [group] }),
      measures: figures.measures,
      limit: MOST_GROUPS,
    }),
    enabled: on && list.ready,
  });
  const [closed, setClosed] = useState<{ all: boolean; except: ReadonlySet<string> }>({
    all: false,
    except: new Set(),
  });
  const isOpen = useMemo(() => (one: FigureGroup) => closed.all === closed.except.has(groupName(one)), [closed]);
  const data = answer.data;
  if (!on || field === null || group === undefined)
    return { grouping: null, error: null, pending: false, more: false, allOpen: true, setAllOpen: () => undefined };
  return {
    error: data === undefined ? answer.error : null,
    pending: data === undefined && !answer.isError,
    more: data?.more === true,
    allOpen: !closed.all,
    setAllOpen: (open) => setClosed({ all: !open, except: new Set() }),
    grouping: {
      groups: data?.groups ?? [],
      isOpen,
      toggle: (one) =>
        setClosed((old) => {
          const except = new Set(old.except);
          if (!except.delete(groupName(one))) except.add(groupName(one));
          return { ...old, except };
        }),
      name(one) {
        const value = one.values[0];
        const timed = field.type === 'date' || field.type === 'datetime';
        if (value === null || value === undefined || timed || field.type === 'bool')
          return groupText(value, group, field, context);
        return kindOf(field.type).display(value, field, context);
      },
      figure(one, column) {
        const at = figures.columns.indexOf(column);
        return at < 0 ? '' : textOf(list, column, one.measures[at] ?? null, context);
      },
      only(one) {
        const { group: _, ...rest } = state.options;
        list.set({ where: joinConditions(state.where, one.where), options: rest });
      },
    },
  };
}
