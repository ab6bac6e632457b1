import {
  IconArrowMerge,
  IconBolt,
  IconDots,
  IconDownload,
  IconPencil,
  IconRestore,
  IconTag,
  IconTrash,
  IconUserShare,
  IconX,
} from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { type BulkSet, errorText, type PressSet, startBulk } from '@/api';
import { loadWords, useFormat, useLabel, useTranslation } from '@/i18n';
import { findField, useCan } from '@/metadata';
import { Button, confirm, IconButton, Menu, type MenuEntry, toast } from '@/ui';
import { NOTHING, type Selection, selectAll, selectedCount } from '../grid/selection';
import { useJobNews } from '../mass/news';
import css from './bulk-bar.module.css';
import type { Total } from './list-footer';
import type { List } from './use-list';

const EditDialog = lazy(() => import('../mass/edit-dialog').then((module) => ({ default: module.EditDialog })));
const PressDialog = lazy(() =>
  Promise.all([import('../automation/press-dialog'), loadWords('automations')]).then(([module]) => ({
    default: module.PressDialog,
  })),
);
const ExportDialog = lazy(() => import('../mass/export-dialog').then((module) => ({ default: module.ExportDialog })));

interface Props {
  list: List;
  selection: Selection;
  total: Total;
  onSelect: (selection: Selection) => void;
}

/** More side by side nobody can compare. */
const MERGE_MOST = 8;

/** What a selection means to the server: the ids, or everything that fits without some. */
export function setOf(selection: Selection, list: Pick<List, 'where' | 'state'>): BulkSet {
  if (selection.mode === 'some') return { ids: [...selection.ids] };
  return {
    ...(list.where !== null && { where: list.where }),
    ...(list.state.q !== '' && { search: list.state.q }),
    ...(selection.except.size > 0 && { except: [...selection.except] }),
  };
}

const pressSet = (selection: Selection, list: List): PressSet =>
  selection.mode === 'some'
    ? { records: [...selection.ids] }
    : { all: true, ...(list.where !== null && { where: list.where }), except: [...selection.except] };

/** Floats over the lower edge while something is selected. "All" means everything that fits, on the server. */
export function BulkBar({ list, selection, total, onSelect }: Props) {
  const { t } = useTranslation(['records', 'jobs', 'common']);
  const fmt = useFormat();
  const label = useLabel();
  const can = useCan();
  const navigate = useNavigate();
  const { follow } = useJobNews();
  const [open, setOpen] = useState<'edit' | 'tag' | 'assign' | 'export' | 'press' | null>(null);
  const [busy, setBusy] = useState(false);
  const { object, state } = list;
  const count = selectedCount(selection, total.count ?? 0);
  const countText = `${fmt.number(count)}${selection.mode === 'all' && !total.exact ? '+' : ''}`;
  const set = setOf(selection, list);

  const run = async (action: 'delete' | 'restore') => {
    setBusy(true);
    try {
      follow(await startBulk(object.key, { ...set, action }));
      onSelect(NOTHING);
    } catch (error) {
      toast.error(t('jobs:notStarted'), { detail: errorText(error) });
    } finally {
      setBusy(false);
    }
  };
  const remove = async () => {
    const yes = await confirm({
      title: t('records:bulk.deleteTitle', { count, text: countText }),
      text: t('records:bulk.deleteText'),
      confirm: t('common:delete'),
      danger: true,
    });
    if (yes) await run('delete');
  };

  const update = object.actions.update;
  const taggable = update && findField(object, 'tags')?.access === 'write';
  const ownable = can('record.assign') && findField(object, 'owner')?.type === 'user';
  const more = selection.mode === 'some' && total.count !== null && (total.count > count || !total.exact);
  const mergeable =
    can('record.merge') &&
    update &&
    object.actions.delete &&
    selection.mode === 'some' &&
    count > 1 &&
    count <= MERGE_MOST
      ? [...selection.ids]
      : [];
  const entries: MenuEntry[] = [
    ...(ownable
      ? [{ label: t('jobs:bar.assign'), icon: <IconUserShare size={15} />, onSelect: () => setOpen('assign') }]
      : []),
    ...(update && state.q === ''
      ? [{ label: t('records:page.automate'), icon: <IconBolt size={15} />, onSelect: () => setOpen('press') }]
      : []),
    ...(can('export.run')
      ? [{ label: t('jobs:bar.export'), icon: <IconDownload size={15} />, onSelect: () => setOpen('export') }]
      : []),
  ];
  return (
    <section className={css.bar} aria-label={t('records:bulk.label')} aria-busy={busy || undefined}>
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
        object.actions.delete && (
          <Button icon={<IconRestore size={15} />} loading={busy} onClick={() => void run('restore')}>
            {t('records:bulk.restore')}
          </Button>
        )
      ) : (
        <>
          {update && (
            <Button icon={<IconPencil size={15} />} onClick={() => setOpen('edit')}>
              {t('jobs:bar.edit')}
            </Button>
          )}
          {taggable && (
            <Button icon={<IconTag size={15} />} onClick={() => setOpen('tag')}>
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
            <Button kind="danger-subtle" icon={<IconTrash size={15} />} loading={busy} onClick={() => void remove()}>
              {t('common:delete')}
            </Button>
          )}
          {entries.length > 0 && (
            <Menu
              position="top-start"
              target={<IconButton label={t('common:more')} icon={<IconDots size={16} />} aria-haspopup="menu" />}
              entries={entries}
            />
          )}
        </>
      )}
      <IconButton label={t('records:bulk.none')} icon={<IconX size={15} />} onClick={() => onSelect(NOTHING)} />
      <Suspense>
        {open !== null && open !== 'export' && open !== 'press' && (
          <EditDialog
            object={object}
            set={set}
            count={countText}
            about={open}
            onClose={() => setOpen(null)}
            onStarted={follow}
          />
        )}
        {open === 'press' && (
          <PressDialog object={object} set={pressSet(selection, list)} onClose={() => setOpen(null)} />
        )}
        {open === 'export' && (
          <ExportDialog
            object={object}
            set={set}
            sort={state.sort}
            columns={list.columns.map((column) => column.key)}
            count={countText}
            name={list.view?.name || label(object.plural, object.key)}
            onClose={() => setOpen(null)}
            onStarted={follow}
          />
        )}
      </Suspense>
    </section>
  );
}
