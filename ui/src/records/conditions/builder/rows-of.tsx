import { IconPlus } from '@tabler/icons-react';
import type { LifecycleRows, Window } from '@/api';
import { labelText, useTranslation } from '@/i18n';
import { Button, Select } from '@/ui';
import { isStep } from '../events';
import css from './behaviour.module.css';
import { EventSelect } from './event-select';
import { NestedConditions } from './nested';
import { PropertyRows } from './property-rows';
import { ScopeProvider, useMakeScope, useScope } from './scope';
import { WindowEditor } from './window-editor';

const BY_EVENT = 'event:';

interface PartProps {
  rows: LifecycleRows;
  onChange: (rows: LifecycleRows) => void;
}

/** Events, by name, or the records of an object that belong to the customer. */
export function RowsSource({ rows, onChange }: PartProps) {
  const { t } = useTranslation('behaviour');
  const { objects, object, context } = useScope();
  const related = new Set(object?.related.map((relation) => relation.object));
  related.delete(object?.key ?? '');
  const sources = [
    { value: BY_EVENT, label: t('behaviour:lifecycle.event') },
    ...objects
      .filter((candidate) => related.has(candidate.key))
      .map(({ key, label }) => ({ value: key, label: labelText(label, context.language, key) })),
  ];
  return (
    <>
      <div className={css.did}>
        <Select
          aria-label={t('behaviour:lifecycle.of')}
          options={sources}
          value={isStep(rows) ? BY_EVENT : rows.record}
          onChange={(next) => next !== null && onChange(next === BY_EVENT ? { event: '' } : { record: next })}
        />
      </div>
      {isStep(rows) && (
        <EventSelect label={t('behaviour:event')} value={rows.event} onChange={(event) => onChange({ event })} />
      )}
    </>
  );
}

/** What the events or records must be like. */
export function RowsWhere({ rows, onChange }: PartProps) {
  const { t } = useTranslation('conditions');
  const { readOnly } = useScope();
  if (isStep(rows))
    return (
      <PropertyRows
        event={rows.event}
        where={rows.where}
        onChange={(where) => onChange(where === undefined ? { event: rows.event } : { ...rows, where })}
      />
    );
  if (rows.where === undefined)
    return readOnly ? null : (
      <Button kind="subtle" icon={<IconPlus size={14} />} onClick={() => onChange({ ...rows, where: { all: [] } })}>
        {t('conditions:behaviour.where')}
      </Button>
    );
  return (
    <NestedConditions
      key={rows.record}
      object={rows.record}
      where={rows.where}
      onChange={(where) => onChange(where === null ? { record: rows.record } : { ...rows, where })}
    />
  );
}

export type FigureRows = LifecycleRows & { within?: Window };

/** Which events or records of a customer a figure is worked out from. */
export function RowsEditor({ rows, onChange }: { rows: FigureRows; onChange: (rows: FigureRows) => void }) {
  const scope = useMakeScope({ object: 'customer', allowTraits: true, allowRecords: true });
  const { within, ...bare } = rows;
  const set = (next: LifecycleRows) => onChange(within === undefined ? next : { ...next, within });
  return (
    <ScopeProvider value={scope}>
      <div className={css.rows}>
        <RowsSource rows={bare as LifecycleRows} onChange={set} />
        <WindowEditor
          value={within}
          onChange={(next) =>
            onChange(next === undefined ? (bare as FigureRows) : { ...(bare as FigureRows), within: next })
          }
        />
        <RowsWhere rows={bare as LifecycleRows} onChange={set} />
      </div>
    </ScopeProvider>
  );
}
