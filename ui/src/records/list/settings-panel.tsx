import { useMemo } from 'react';
import type { Field, MeasureFunc } from '@/api';
import { labelText, useLanguage, useTranslation } from '@/i18n';
import { canRead, traitAsField } from '@/metadata';
import { Button, SegmentedControl, Select, type SelectOption, Switch } from '@/ui';
import { boardable, usualBoard } from '../board/columns';
import { isDated, usualDate } from '../calendar/days';
import { asTarget, groupable, groupOf, spansOf, targetField, targetKey, usualSpan } from '../figures';
import type { List } from './use-list';

interface Props {
  list: List;
  phone: boolean;
}

/** Every field and trait that can be shown, with its name. */
function useFields(list: List): Field[] {
  return useMemo(
    () => [...list.object.fields.filter(canRead), ...list.traits.map(traitAsField)],
    [list.object, list.traits],
  );
}

function useOptions(fields: readonly Field[]): SelectOption[] {
  const language = useLanguage();
  return fields.map((field) => ({ value: field.key, label: labelText(field.label, language, field.key) }));
}

const FUNCS: readonly MeasureFunc[] = ['sum', 'avg', 'min', 'max'];

/** What a list starts its row of figures with: how many, and the sum of every amount on screen. */
function usualTotals(list: List): Record<string, MeasureFunc> {
  const totals: Record<string, MeasureFunc> = {};
  for (const [at, column] of list.columns.entries()) {
    if (at === 0) totals[column.key] = 'count';
    else if (column.field.type === 'money') totals[column.key] = 'sum';
  }
  return totals;
}

function ListPanel({ list, phone }: Props) {
  const { t } = useTranslation('views');
  const { options } = list.state;
  const fields = useFields(list).filter(groupable);
  const choices = useOptions(fields);
  const field = targetField(options.group, list.object, list.traits);
  const spans = field === null ? [] : spansOf(field);
  return (
    <div className="stack">
      {!phone && (
        <>
          <Select
            inPanel
            label={t('panel.groupBy')}
            placeholder={t('panel.noGroup')}
            options={choices}
            value={field === null ? null : field.key}
            onChange={(key) => {
              const next = fields.find((candidate) => candidate.key === key);
              list.setOptions({ group: next === undefined ? undefined : groupOf(next) });
            }}
            searchable
            clearable
          />
          {field !== null && spans.length > 0 && (
            <Select
              inPanel
              label={t('panel.span')}
              options={spans.map((span) => ({ value: span, label: t(`span.${span}`) }))}
              value={options.group?.by ?? usualSpan(field) ?? null}
              onChange={(by) => by !== null && list.setOptions({ group: groupOf(field, by) })}
            />
          )}
          <Switch
            label={t('panel.totals')}
            checked={options.totals !== undefined}
            onChange={(on) => list.setOptions({ totals: on ? usualTotals(list) : undefined })}
          />
          <Switch
            label={t('panel.pages')}
            description={t('panel.pagesHelp')}
            checked={list.paged}
            disabled={field !== null}
            onChange={list.setPaged}
          />
          <div>
            <p className="muted" style={{ margin: '0 0 4px', fontSize: 'var(--fs-xs)' }}>
              {t('panel.frozen')}
            </p>
            <SegmentedControl
              label={t('panel.frozen')}
              fullWidth
              value={String(options.frozen ?? 1)}
              onChange={(count) => list.setOptions({ frozen: count === '1' ? undefined : Number(count) })}
              options={['1', '2', '3', '4'].map((count) => ({ value: count, label: count }))}
            />
          </div>
        </>
      )}
    </div>
  );
}

function BoardPanel({ list }: Props) {
  const { t } = useTranslation('views');
  const { options } = list.state;
  const all = useFields(list);
  const columns = useOptions(
    all.filter((field) => boardable(field) && !(field.key.startsWith('trait.') && field.type === 'bool')),
  );
  const measured = all.filter((field) => field.type === 'number' || field.type === 'money');
  const measures = useOptions(measured);
  const field = targetField(options.board, list.object, list.traits) ?? usualBoard(list.object);
  const { measure } = options;
  const collapsed = options.collapsed ?? [];
  return (
    <div className="stack">
      <Select
        inPanel
        label={t('panel.boardBy')}
        options={columns}
        value={field?.key ?? null}
        onChange={(key) =>
          key !== null && list.setOptions({ board: asTarget(key), limits: undefined, collapsed: undefined })
        }
        searchable
      />
      {measures.length > 0 && (
        <Select
          inPanel
          label={t('panel.measureField')}
          placeholder={t('panel.noMeasure')}
          options={measures}
          value={measure === undefined ? null : targetKey(measure)}
          onChange={(key) =>
            list.setOptions({ measure: key === null ? undefined : { func: measure?.func ?? 'sum', ...asTarget(key) } })
          }
          searchable
          clearable
        />
      )}
      {measure !== undefined && (
        <SegmentedControl
          label={t('panel.measure')}
          fullWidth
          value={measure.func}
          onChange={(func) => list.setOptions({ measure: { ...measure, func: func as MeasureFunc } })}
          options={FUNCS.map((func) => ({ value: func, label: t(`totals.${func}`) }))}
        />
      )}
      {collapsed.length > 0 && (
        <Button onClick={() => list.setOptions({ collapsed: undefined })}>{t('panel.openAll')}</Button>
      )}
    </div>
  );
}

function CalendarPanel({ list }: Props) {
  const { t } = useTranslation('views');
  const fields = list.object.fields.filter(isDated);
  const choices = useOptions(fields);
  return (
    <Select
      inPanel
      label={t('panel.date')}
      options={choices}
      value={list.state.options.date ?? usualDate(list.object)?.key ?? null}
      onChange={(key) => key !== null && list.setOptions({ date: key })}
      searchable
    />
  );
}

const PANELS = { list: ListPanel, board: BoardPanel, calendar: CalendarPanel, cards: () => null };

export function SettingsPanel(props: Props) {
  const Panel = PANELS[props.list.state.kind];
  return <Panel {...props} />;
}
