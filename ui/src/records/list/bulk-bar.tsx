import { IconArrowMerge, IconRestore, IconTag, IconTrash, IconX } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { type BatchOperation, errorText, isAbort, recordKeys } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { findField, useCan } from '@/metadata';
import { Button, confirm, IconButton, Progress, toast } from '@/ui';
import { NOTHING, type Selection, selectAll, selectedCount } from '../grid/selection';
import {
  type Progress as BulkProgress,
  type BulkResult,
  restoreAll,
  runBatch,
  runOperations,
  selectedRecords,
  withTags,
} from './bulk';
import css from './bulk-bar.module.css';
import type { Total } from './list-footer';
import { TagDialog } from './tag-dialog';
import type { List } from './use-list';

interface Props {
  list: List;
  selection: Selection;
  total: Total;
  onSelect: (selection: Selection) => void;
}

/** More side by side nobody can compare. */
const MERGE_MOST = 8;

/** Floats over the lower edge while something is selected. "All" means everything that matches, on the server. */
export function BulkBar({ list, selection, total, onSelect }: Props) {
  const { t } = useTranslation(['records', 'common']);
  const fmt = useFormat();
  const client = useQueryClient();
  const navigate = useNavigate();
  const can = useCan();
  const [progress, setProgress] = useState<BulkProgress | null>(null);
  const [tagging, setTagging] = useState(false);
  const abort = useRef<AbortController>(null);
  const { object, state } = list;
  const count = selectedCount(selection, total.count ?? 0);
  const countText = `${fmt.number(count)}${selection.mode === 'all' && !total.exact ? '+' : ''}`;
  const refresh = () => client.invalidateQueries({ queryKey: recordKeys.object(object.key) });
  const tick = (by: number) => setProgress((old) => old && { ...old, done: old.done + by });

  const report = (result: BulkResult, text: string, undo?: () => void) => {
    if (result.failed > 0)
      toast.error(t('records:bulk.partly', { done: result.ids.length, failed: result.failed }), {
        ...(result.firstError !== null && { detail: result.firstError }),
        ...(undo !== undefined && result.ids.length > 0 && { action: { label: t('common:undo'), run: undo } }),
      });
    else toast.ok(text, undo === undefined ? {} : { action: { label: t('common:undo'), run: undo }, duration: 8000 });
  };
  const guarded = async (work: () => Promise<void>) => {
    setProgress({ done: 0, total: count });
    try {
      await work();
    } catch (error) {
      if (!isAbort(error)) toast.error(t('common:failed.save'), { detail: errorText(error) });
    } finally {
      setProgress(null);
      abort.current = null;
      refresh();
    }
  };
  const run = (fields: string[], operation: Parameters<typeof runBatch>[2]) => {
    const controller = new AbortController();
    abort.current = controller;
    const question = { object: object.key, where: list.where, search: state.q, deleted: state.deleted };
    return runBatch(object.key, selectedRecords(selection, question, fields, controller.signal), operation, tick);
  };
  const restore = (ids: readonly string[]) =>
    guarded(async () => {
      setProgress({ done: 0, total: ids.length });
      const result = await restoreAll(object.key, ids, () => tick(1));
      report(result, t('records:bulk.restored', { count: result.ids.length }));
      onSelect(NOTHING);
    });

  const remove = async () => {
    const yes = await confirm({
      title: t('records:bulk.deleteTitle', { count, text: countText }),
      text: t('records:bulk.deleteText'),
      confirm: t('common:delete'),
      danger: true,
    });
    if (!yes) return;
    await guarded(async () => {
      const result = await run([], (record) => ({ op: 'delete', id: record.id, version: record.version }));
      onSelect(NOTHING);
      report(result, t('records:bulk.deleted', { count: result.ids.length }), () => void restore(result.ids));
    });
  };
  const untag = (tagged: BulkResult) =>
    guarded(async () => {
      setProgress({ done: 0, total: tagged.undo.length });
      const result = await runOperations(object.key, tagged.undo, tick);
      report(result, t('records:bulk.untagged', { count: result.ids.length }));
    });
  const tag = (add: string[], drop: string[]) =>
    guarded(async () => {
      setTagging(false);
      const result = await run(['tags'], (record): BatchOperation | null => {
        const before = record.fields.tags;
        const tags = withTags(before, add, drop);
        if (JSON.stringify(tags) === JSON.stringify(before ?? [])) return null;
        return { op: 'update', id: record.id, version: record.version, fields: { tags } };
      });
      report(result, t('records:bulk.tagged', { count: result.ids.length }), () => void untag(result));
    });
  const restoreSelected = () =>
    guarded(async () => {
      const controller = new AbortController();
      abort.current = controller;
      const question = { object: object.key, where: list.where, search: state.q, deleted: true };
      const ids: string[] = [];
      for await (const part of selectedRecords(selection, question, [], controller.signal))
        ids.push(...part.map((record) => record.id));
      await restore(ids);
    });

  const more = selection.mode === 'some' && total.count !== null && (total.count > count || !total.exact);
  const taggable = findField(object, 'tags')?.access === 'write' && object.actions.update;
  const mergeable =
    can('record.merge') &&
    object.actions.update &&
    object.actions.delete &&
    selection.mode === 'some' &&
    count > 1 &&
    count <= MERGE_MOST
      ? [...selection.ids]
      : [];
  return (
    <section className={css.bar} aria-label={t('records:bulk.label')}>
      {progress === null ? (
        <>
          <strong aria-live="polite">{t('records:bulk.selected', { count, text: countText })}</strong>
          {more && (
            <button type="button" className={css.link} onClick={() => onSelect(selectAll())}>
              {t('records:bulk.all', {
                count: total.count ?? 0,
                text: `${fmt.number(total.count)}${total.exact ? '' : '+'}`,
              })}
            </button>
          )}
          <span className={css.line} />
          {state.deleted ? (
            <Button icon={<IconRestore size={15} />} onClick={() => void restoreSelected()}>
              {t('records:bulk.restore')}
            </Button>
          ) : (
            <>
              {taggable && (
                <Button icon={<IconTag size={15} />} onClick={() => setTagging(true)}>
                  {t('records:bulk.tag')}
                </Button>
              )}
              {mergeable.length > 0 && (
                <Button
                  icon={<IconArrowMerge size={15} />}
                  onClick={() =>
                    navigate({
                      to: '/merge/$object',
                      params: { object: object.key },
                      search: { ids: mergeable.join(',') },
                    })
                  }
                >
                  {t('records:bulk.merge')}
                </Button>
              )}
              {object.actions.delete && (
                <Button kind="danger-subtle" icon={<IconTrash size={15} />} onClick={() => void remove()}>
                  {t('common:delete')}
                </Button>
              )}
            </>
          )}
          <IconButton label={t('records:bulk.none')} icon={<IconX size={15} />} onClick={() => onSelect(NOTHING)} />
        </>
      ) : (
        <>
          <span role="status">
            {t('records:bulk.working', { done: fmt.number(progress.done), total: fmt.number(progress.total) })}
          </span>
          <span className={css.progress}>
            <Progress
              value={progress.total === 0 ? null : Math.min(1, progress.done / progress.total)}
              label={t('records:bulk.label')}
            />
          </span>
          <Button kind="subtle" onClick={() => abort.current?.abort()}>
            {t('common:cancel')}
          </Button>
        </>
      )}
      {tagging && <TagDialog count={countText} onClose={() => setTagging(false)} onApply={tag} />}
    </section>
  );
}
