import { IconChevronDown } from '@tabler/icons-react';
import { errorText, useDefaultView, useDeleteView, useSaveView, type View } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { confirm, IconButton, Menu, type MenuEntry, toast } from '@/ui';
import css from './list.module.css';
import type { List } from './use-list';

interface Props {
  list: List;
  target: View;
  mayEdit: (view: View) => boolean;
  onDialog: (dialog: 'create' | 'rename') => void;
}

/** Everything that can be done with the view on screen. */
export function ViewMenu({ list, target, mayEdit, onDialog }: Props) {
  const { t } = useTranslation(['records', 'views', 'common']);
  const can = useCan();
  const label = useLabel();
  const save = useSaveView(list.object.key);
  const remove = useDeleteView(list.object.key);
  const byDefault = useDefaultView(list.object.key);
  const mayShare = can('view.share');
  const mine = mayEdit(target);
  const failed = (error: unknown) => toast.error(t('common:failed.save'), { detail: errorText(error) });
  const saved = () => toast.ok(t('common:saved'));
  const update = (change: Partial<View>) =>
    save.mutate({ id: target.id, version: target.version, view: change }, { onSuccess: saved, onError: failed });
  const drop = async () => {
    const yes = await confirm({
      title: t('records:view.deleteTitle', { name: target.name }),
      text: t('records:view.deleteText'),
      confirm: t('common:delete'),
      danger: true,
    });
    if (yes) remove.mutate(target.id, { onSuccess: () => list.choose(null), onError: failed });
  };
  const setDefault = (whose: 'me' | 'everyone') =>
    byDefault.mutate(
      { id: target.id, for: whose, on: target.default !== whose },
      { onSuccess: saved, onError: failed },
    );
  // The tabs that this person may move, in their order: what "move" changes places with.
  const own = list.views.filter((candidate) => candidate.pinned && mayEdit(candidate));
  const place = own.findIndex((candidate) => candidate.id === target.id);
  const shift = async (by: -1 | 1) => {
    const rest = own.filter((candidate) => candidate.id !== target.id);
    rest.splice(Math.max(0, place + by), 0, target);
    try {
      for (const [position, candidate] of rest.entries())
        if (candidate.position !== position + 1)
          await save.mutateAsync({ id: candidate.id, view: { position: position + 1 } });
    } catch (error) {
      failed(error);
    }
  };

  const entries: MenuEntry[] = [
    ...(mine ? [{ label: t('records:view.rename'), onSelect: () => onDialog('rename') }] : []),
    { label: t('records:view.saveAs'), onSelect: () => onDialog('create') },
    { label: t('views:save.forMe'), checked: target.default === 'me', onSelect: () => setDefault('me') },
  ];
  if (mayShare && target.shared)
    entries.push({
      label: t('views:save.forEveryone'),
      checked: target.default === 'everyone',
      onSelect: () => setDefault('everyone'),
    });
  if (mine && mayShare)
    entries.push({
      label: target.shared ? t('records:view.unshare') : t('records:view.share'),
      onSelect: () => update({ shared: !target.shared }),
    });
  if (mine)
    entries.push(
      {
        label: target.pinned ? t('views:save.unpin') : t('views:save.pin'),
        onSelect: () => update({ pinned: !target.pinned }),
      },
      { label: t('views:save.left'), disabled: place <= 0, onSelect: () => void shift(-1) },
      { label: t('views:save.right'), disabled: place < 0 || place === own.length - 1, onSelect: () => void shift(1) },
      { divider: true },
      { label: t('common:delete'), danger: true, onSelect: () => void drop() },
    );
  return (
    <Menu
      position="bottom-start"
      target={
        <IconButton
          size="sm"
          tooltip={false}
          className={css.tabMenu ?? ''}
          label={t('records:view.options', { name: label(target.label, target.name) })}
          icon={<IconChevronDown size={14} />}
        />
      }
      entries={entries}
    />
  );
}

/** The views that are no tabs. */
export function OtherViews({ list, views }: { list: List; views: readonly View[] }) {
  const { t } = useTranslation('views');
  const label = useLabel();
  return (
    <Menu
      position="bottom-start"
      target={
        <button type="button" className={css.tab}>
          {t('save.more')}
          <IconChevronDown size={13} aria-hidden />
        </button>
      }
      entries={views.map((view) => ({ label: label(view.label, view.name), onSelect: () => list.choose(view) }))}
    />
  );
}
