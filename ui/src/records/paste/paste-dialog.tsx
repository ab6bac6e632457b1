import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import {
  api,
  type BatchOperation,
  batchRecords,
  errorText,
  type Field,
  type RecordPage,
  type Ref,
  recordKeys,
  usersQuery,
} from '@/api';
import { useFieldContext } from '@/fields';
import { useTranslation } from '@/i18n';
import { Button, Modal, Progress, toast } from '@/ui';
import { rememberStep } from '../edit/steps';
import type { PastedCells } from '../grid/use-clipboard';
import type { List } from '../list/use-list';
import css from './paste.module.css';
import { namesIn, type PlannedCell, planPaste, planText, usersNamed, type Write, writesOf } from './plan';

interface Props {
  list: List;
  cells: PastedCells;
  onClose: () => void;
}

/** As many cells as are worth reading; the rest is counted. */
const SHOWN = 200;
const MOST_NAMES = 200;

/** Looks up what pasted names stand for: people by name or address, records by their exact title. */
async function lookUp(cells: PastedCells, users: () => Promise<Parameters<typeof usersNamed>[0]>) {
  const found = new Map<string, Ref[]>();
  for (const { field, names } of namesIn(cells).values()) {
    const people = field.type === 'user' ? await users() : [];
    for (const name of [...names].slice(0, MOST_NAMES)) {
      if (field.type === 'user') {
        found.set(`${field.key}\n${name}`, usersNamed(people, name));
        continue;
      }
      const target = field.target ?? '';
      const page = await api.post<RecordPage>(`/records/${target}/query`, { search: name, fields: [], limit: 20 });
      const exact = page.items.filter((item) => item.title === name);
      found.set(
        `${field.key}\n${name}`,
        exact.map((item) => ({ id: item.id, title: item.title, object: target })),
      );
    }
  }
  return found;
}

const operation = (write: Write): BatchOperation => ({
  op: 'update',
  id: write.record.id,
  version: write.record.version,
  fields: write.fields,
});

/** Shows what pasting would change before it does; everything is written together or not at all. */
export function PasteDialog({ list, cells, onClose }: Props) {
  const { t } = useTranslation(['views', 'common', 'layouts']);
  const context = useFieldContext();
  const client = useQueryClient();
  const { object } = list;
  const [saving, setSaving] = useState(false);
  const [told, setTold] = useState<ReadonlyMap<string, string>>(new Map());
  const names = useQuery({
    queryKey: ['paste', object.key, cells.columns.map((column) => column.key), cells.texts],
    queryFn: () => lookUp(cells, async () => (await client.fetchQuery(usersQuery())).items),
    gcTime: 0,
    retry: false,
  });
  const plan = useMemo((): PlannedCell[] => {
    const resolve = (field: Field, name: string) => names.data?.get(`${field.key}\n${name}`) ?? null;
    return planPaste(cells, context, resolve).map((cell) => {
      const detail = told.get(`${cell.record.id}\n${cell.column.key}`);
      return detail === undefined ? cell : { ...cell, refusal: 'server', detail };
    });
  }, [cells, context, names.data, told]);
  const writes = writesOf(plan);
  const refused = plan.filter((cell) => cell.refusal !== null).length;
  const changed = plan.length - refused;

  const takeBack = async (done: readonly Write[], versions: ReadonlyMap<string, number>) => {
    const operations = done.map(
      (write): BatchOperation => ({
        op: 'update',
        id: write.record.id,
        version: versions.get(write.record.id) ?? write.record.version + 1,
        fields: write.before,
      }),
    );
    try {
      const { results } = await batchRecords(object.key, operations, true);
      const bad = results.find((result) => result.status >= 400);
      if (bad === undefined) toast.ok(t('layouts:paste.undone'));
      else toast.error(t('layouts:paste.notUndone'), { detail: bad.error?.detail ?? bad.error?.title ?? '' });
    } catch (error) {
      toast.error(t('layouts:paste.notUndone'), { detail: errorText(error) });
    }
    client.invalidateQueries({ queryKey: recordKeys.object(object.key) });
  };
  const apply = async () => {
    setSaving(true);
    try {
      const { results } = await batchRecords(object.key, writes.map(operation), true);
      const complaints = new Map<string, string>();
      for (const [at, result] of results.entries()) {
        const write = writes[at];
        if (write === undefined || result.status < 400) continue;
        const errors = result.error?.errors ?? [];
        for (const key of Object.keys(write.fields)) {
          const own = errors.find((error) => error.location === `fields.${key}`);
          if (own !== undefined || errors.length === 0)
            complaints.set(
              `${write.record.id}\n${key}`,
              own?.message ?? result.error?.detail ?? result.error?.title ?? '',
            );
        }
      }
      if (complaints.size > 0) {
        setTold(new Map([...told, ...complaints]));
        return;
      }
      const versions = new Map(results.map((result) => [result.record?.id ?? '', result.record?.version ?? 0]));
      const undo = writes.some((write) => write.masked)
        ? null
        : rememberStep(object.key, () => void takeBack(writes, versions));
      toast.ok(t('layouts:paste.done', { count: changed }), {
        duration: 8000,
        ...(undo !== null && { action: { label: t('common:undo'), run: undo } }),
      });
      client.invalidateQueries({ queryKey: recordKeys.object(object.key) });
      onClose();
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    } finally {
      setSaving(false);
    }
  };
  const reason = (cell: PlannedCell) =>
    cell.refusal === 'server' ? cell.detail : t(`layouts:paste.why.${cell.refusal ?? 'unfit'}`);

  return (
    <Modal
      opened
      onClose={onClose}
      title={t('layouts:paste.title')}
      size={760}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button
            kind="primary"
            loading={saving}
            disabled={changed === 0 || names.isPending}
            onClick={() => void apply()}
          >
            {t('layouts:paste.apply', { count: changed })}
          </Button>
        </>
      }
    >
      {names.isPending ? (
        <Progress value={null} label={t('layouts:paste.looking')} />
      ) : (
        <div className="stack">
          <p className={css.summary} role="status">
            {t('layouts:paste.summary', { cells: changed, records: writes.length })}
            {refused > 0 && <span className={css.bad}>{t('layouts:paste.refused', { count: refused })}</span>}
          </p>
          {plan.length > 0 && (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys.
            <div className={css.scroll} tabIndex={0}>
              <table className={css.table}>
                <thead>
                  <tr>
                    <th>{t('layouts:paste.record')}</th>
                    <th>{t('layouts:paste.field')}</th>
                    <th>{t('layouts:paste.before')}</th>
                    <th>{t('layouts:paste.after')}</th>
                  </tr>
                </thead>
                <tbody>
                  {plan.slice(0, SHOWN).map((cell) => (
                    <tr key={`${cell.record.id} ${cell.column.key}`} data-bad={cell.refusal !== null || undefined}>
                      <td>{cell.record.title}</td>
                      <td>{cell.column.label}</td>
                      <td className={css.before}>{planText(cell.before, cell.column, context) || '\u2013'}</td>
                      <td>
                        {cell.refusal === null
                          ? planText(cell.after, cell.column, context) || '\u2013'
                          : cell.text || '\u2013'}
                        {cell.refusal !== null && <div className={css.why}>{reason(cell)}</div>}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          {plan.length > SHOWN && <p className="muted">{t('layouts:paste.more', { count: plan.length - SHOWN })}</p>}
          {refused > 0 && <p className="muted">{t('layouts:paste.skipped')}</p>}
        </div>
      )}
    </Modal>
  );
}
