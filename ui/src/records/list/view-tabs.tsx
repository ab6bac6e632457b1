import { IconChevronDown, IconUsers } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { errorText, useDeleteView, useSaveView, type View } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { useCan } from '@/metadata';
import { Button, confirm, IconButton, Menu, toast } from '@/ui';
import css from './list.module.css';
import type { List } from './use-list';

const NameDialog = lazy(() => import('./view-name-dialog').then((module) => ({ default: module.NameDialog })));

/** Saved views as tabs; what was changed can be kept, saved as another, or given up. */
export function ViewTabs({ list, allLabel }: { list: List; allLabel: string }) {
  const { t } = useTranslation(['records', 'common']);
  const can = useCan();
  const label = useLabel();
  const save = useSaveView(list.object.key);
  const remove = useDeleteView(list.object.key);
  const [dialog, setDialog] = useState<'none' | 'create' | 'rename'>('none');
  const { view, state } = list;
  const mayShare = can('view.share');
  const mayEdit = (candidate: View) => !candidate.builtin && (candidate.mine || (candidate.shared && mayShare));
  const content = { columns: state.columns, where: state.where, sort: state.sort };
  const failed = (error: unknown) => toast.error(t('common:failed.save'), { detail: errorText(error) });
  const done = (saved: View) => {
    setDialog('none');
    list.choose(saved);
    toast.ok(t('common:saved'));
  };

  const create = (name: string, shared: boolean) =>
    save.mutate({ view: { ...content, name, shared } }, { onSuccess: done, onError: failed });
  const update = (target: View, change: Partial<View>) =>
    save.mutate({ id: target.id, version: target.version, view: change }, { onSuccess: done, onError: failed });
  const drop = async (target: View) => {
    const yes = await confirm({
      title: t('records:view.deleteTitle', { name: target.name }),
      text: t('records:view.deleteText'),
      confirm: t('common:delete'),
      danger: true,
    });
    if (!yes) return;
    remove.mutate(target.id, { onSuccess: () => list.choose(null), onError: failed });
  };

  const menu = (target: View) => (
    <Menu
      position="bottom-start"
      target={
        <IconButton
          size="sm"
          tooltip={false}
          className={css.tabMenu ?? ''}
          label={t('records:view.options', { name: target.name })}
          icon={<IconChevronDown size={14} />}
        />
      }
      entries={[
        { label: t('records:view.rename'), onSelect: () => setDialog('rename') },
        ...(mayShare
          ? [
              {
                label: target.shared ? t('records:view.unshare') : t('records:view.share'),
                onSelect: () => update(target, { shared: !target.shared }),
              },
            ]
          : []),
        { label: t('records:view.saveAs'), onSelect: () => setDialog('create') },
        { divider: true },
        { label: t('common:delete'), danger: true, onSelect: () => void drop(target) },
      ]}
    />
  );

  const tabs: readonly (View | null)[] = list.views.length > 0 ? list.views : [null];
  return (
    <div className={css.tabsRow}>
      <nav className={css.tabs} aria-label={t('records:view.label')}>
        {tabs.map((tab) => {
          const on = tab?.id === view?.id && !state.deleted;
          return (
            <span key={tab?.id ?? 'all'} className={cx(css.tabBox, on && css.tabOn)}>
              <button type="button" className={css.tab} aria-current={on || undefined} onClick={() => list.choose(tab)}>
                {tab === null ? allLabel : label(tab.label, tab.name)}
                {tab?.shared && !tab.builtin && <IconUsers size={13} aria-label={t('records:view.isShared')} />}
              </button>
              {on && tab !== null && mayEdit(tab) && menu(tab)}
            </span>
          );
        })}
      </nav>
      {list.changed && !state.deleted && (
        <div className={css.unsaved}>
          <Button kind="subtle" onClick={list.reset}>
            {t('records:view.discard')}
          </Button>
          <Button kind={view !== null && mayEdit(view) ? 'subtle' : 'default'} onClick={() => setDialog('create')}>
            {t('records:view.saveAs')}
          </Button>
          {view !== null && mayEdit(view) && (
            <Button loading={save.isPending} onClick={() => update(view, content)}>
              {t('records:view.saveChanges')}
            </Button>
          )}
        </div>
      )}
      <Suspense>
        {dialog === 'create' && (
          <NameDialog
            title={t('records:view.createTitle')}
            start={{ name: '', shared: false }}
            mayShare={mayShare}
            saving={save.isPending}
            onSave={create}
            onClose={() => setDialog('none')}
          />
        )}
        {dialog === 'rename' && view !== null && (
          <NameDialog
            title={t('records:view.rename')}
            start={view}
            mayShare={mayShare}
            saving={save.isPending}
            onSave={(name, shared) => update(view, { name, shared })}
            onClose={() => setDialog('none')}
          />
        )}
      </Suspense>
    </div>
  );
}
