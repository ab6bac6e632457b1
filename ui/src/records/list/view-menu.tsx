import { IconChevronDown } from '@tabler/icons-react';
import { errorText, useDefaultView, useDeleteView, useSaveView, type View, type ViewInput } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { confirm, IconButton, Menu, type MenuEntry, toast } from '@/ui';
import css from './list.module.css';
import type { List } from './use-list';

export type ViewDialog = 'create' | 'rename' | 'share' | 'all';
interface Props {
  list: List;
  target: View;
  onDialog: (dialog: ViewDialog) => void;
}

/** Everything that can be done with the view on screen. */
export function ViewMenu({ list, target, onDialog }: Props) {
  const { t } = useTranslation(['records', 'views', 'common']);
  const can = useCan();
  const label = useLabel();
  const save = useSaveView(list.object.key);
  const remove = useDeleteView(list.object.key);
  const byDefault = useDefaultView(list.object.key);
  const mine = target.edit;
  const failed = (error: unknown) => toast.error(t('common:failed.save'), { detail: errorText(error) });
  const saved = () => toast.ok(t('common:saved'));
  const update = (change: ViewInput) =>
    save.mutate({ id: target.id, version: target.version, view: change }, { onSuccess: saved, onError: failed });
  const drop = async () => {
    const yes = await confirm({
      title: t('views:view.deleteTitle', { name: target.name }),
      text: t('views:view.deleteText'),
      confirm: t('common:delete'),
      danger: true,
    });
    if (yes) remove.mutate(target.id, { onSuccess: () => list.choose(null), onError: failed });
  };
  const setDefault = () =>
    byDefault.mutate({ id: target.id, for: 'me', on: target.default !== 'me' }, { onSuccess: saved, onError: failed });
  // The tabs that this person may move, in their order: what "move" changes places with.
  const own = list.views.filter((candidate) => candidate.pinned && candidate.edit);
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
    ...(mine ? [{ label: t('views:view.rename'), onSelect: () => onDialog('rename') }] : []),
    { label: t('views:view.saveAs'), onSelect: () => onDialog('create') },
    { label: t('views:save.forMe'), checked: target.default === 'me', onSelect: setDefault },
  ];
  if (target.manage || can('view.share'))
    entries.push({ label: t('views:view.share'), onSelect: () => onDialog('share') });
  if (mine)
    entries.push(
      {
        label: target.pinned ? t('views:save.unpin') : t('views:save.pin'),
        onSelect: () => update({ pinned: !target.pinned }),
      },
      { label: t('views:save.left'), disabled: place <= 0, onSelect: () => void shift(-1) },
      { label: t('views:save.right'), disabled: place < 0 || place === own.length - 1, onSelect: () => void shift(1) },
    );
  entries.push({ label: t('views:view.allViews'), onSelect: () => onDialog('all') });
  if (target.manage)
    entries.push({ divider: true }, { label: t('common:delete'), danger: true, onSelect: () => void drop() });
  return (
    <Menu
      position="bottom-start"
      target={
        <IconButton
          size="sm"
          tooltip={false}
          className={css.tabMenu ?? ''}
          label={t('views:view.options', { name: label(target.label, target.name) })}
          icon={<IconChevronDown size={14} />}
        />
      }
      entries={entries}
    />
  );
}

/** The views that are no tabs. */
export function OtherViews({
  list,
  views,
  onDialog,
}: {
  list: List;
  views: readonly View[];
  onDialog: (dialog: ViewDialog) => void;
}) {
  const { t } = useTranslation(['views', 'records']);
  const label = useLabel();
  return (
    <Menu
      position="bottom-start"
      target={
        <button type="button" className={css.tab}>
          {t('views:save.more')}
          <IconChevronDown size={13} aria-hidden />
        </button>
      }
      entries={[
        ...views.map((view) => ({ label: label(view.label, view.name), onSelect: () => list.choose(view) })),
        { divider: true },
        { label: t('views:view.allViews'), onSelect: () => onDialog('all') },
      ]}
    />
  );
}
