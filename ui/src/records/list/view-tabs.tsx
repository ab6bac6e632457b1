import { IconStar, IconUsers } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { errorText, useSaveView, type View, type ViewInput } from '@/api';
import { loadWords, useLabel, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { useCan } from '@/metadata';
import { Button, toast } from '@/ui';
import css from './list.module.css';
import type { List } from './use-list';
import { OtherViews, type ViewDialog, ViewMenu } from './view-menu';

const NameDialog = lazy(() => import('./view-name-dialog').then((module) => ({ default: module.NameDialog })));

const ShareDialog = lazy(async () => {
  const [module] = await Promise.all([import('./view-share-dialog'), loadWords('sharing')]);
  return { default: module.ViewShareDialog };
});
const AllViews = lazy(async () => {
  const [module] = await Promise.all([import('./view-all-dialog'), loadWords('sharing')]);
  return { default: module.AllViewsDialog };
});

/** Saved views as tabs; what was changed can be kept, saved as another, or given up. */
export function ViewTabs({ list, allLabel }: { list: List; allLabel: string }) {
  const { t } = useTranslation(['records', 'views', 'common']);
  const can = useCan();
  const label = useLabel();
  const save = useSaveView(list.object.key);
  const [dialog, setDialog] = useState<'none' | ViewDialog>('none');
  const { view, state } = list;
  const content = {
    columns: state.columns,
    where: state.where,
    sort: state.sort,
    kind: state.kind,
    options: state.options,
  };
  const failed = (error: unknown) => toast.error(t('common:failed.save'), { detail: errorText(error) });
  const done = (saved: View) => {
    setDialog('none');
    list.choose(saved);
    toast.ok(t('common:saved'));
  };

  const create = (name: string, shared: boolean) =>
    save.mutate({ view: { ...content, name, shared } }, { onSuccess: done, onError: failed });
  const update = (target: View, change: ViewInput) =>
    save.mutate({ id: target.id, version: target.version, view: change }, { onSuccess: done, onError: failed });
  const pinned = list.views.filter((candidate) => candidate.pinned || candidate.id === view?.id);
  const others = list.views.filter((candidate) => !candidate.pinned && candidate.id !== view?.id);
  const tabs: readonly (View | null)[] = pinned.length > 0 ? pinned : [null];
  return (
    <div className={css.tabsRow}>
      <nav className={css.tabs} aria-label={t('views:view.label')}>
        {tabs.map((tab) => {
          const on = tab?.id === view?.id && !state.deleted;
          return (
            <span key={tab?.id ?? 'all'} className={cx(css.tabBox, on && css.tabOn)}>
              <button type="button" className={css.tab} aria-current={on || undefined} onClick={() => list.choose(tab)}>
                {tab === null ? allLabel : label(tab.label, tab.name)}
                {tab !== null && tab.shares.length > 0 && <IconUsers size={13} aria-label={t('views:view.isShared')} />}
                {tab !== null && tab.default !== '' && <IconStar size={12} aria-hidden />}
              </button>
              {on && tab !== null && (
                <Suspense>
                  <ViewMenu list={list} target={tab} onDialog={setDialog} />
                </Suspense>
              )}
            </span>
          );
        })}
        {others.length > 0 && (
          <Suspense>
            <OtherViews list={list} views={others} onDialog={setDialog} />
          </Suspense>
        )}
      </nav>
      {list.changed && !state.deleted && (
        <div className={css.unsaved}>
          <Button kind="subtle" onClick={list.reset}>
            {t('views:view.discard')}
          </Button>
          <Button kind={view?.edit === true ? 'subtle' : 'default'} onClick={() => setDialog('create')}>
            {t('views:view.saveAs')}
          </Button>
          {view?.edit === true && (
            <Button loading={save.isPending} onClick={() => update(view, content)}>
              {t('views:view.saveChanges')}
            </Button>
          )}
        </div>
      )}
      <Suspense>
        {dialog === 'create' && (
          <NameDialog
            title={t('views:view.createTitle')}
            start={{ name: '', shared: false }}
            mayShare={can('view.share')}
            saving={save.isPending}
            onSave={create}
            onClose={() => setDialog('none')}
          />
        )}
        {dialog === 'rename' && view !== null && (
          <NameDialog
            title={t('views:view.rename')}
            start={view}
            mayShare={false}
            saving={save.isPending}
            onSave={(name) => update(view, { name })}
            onClose={() => setDialog('none')}
          />
        )}
        {dialog === 'share' && view !== null && (
          <ShareDialog list={list} view={view} onClose={() => setDialog('none')} />
        )}
        {dialog === 'all' && <AllViews list={list} onClose={() => setDialog('none')} />}
      </Suspense>
    </div>
  );
}
