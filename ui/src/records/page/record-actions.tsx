import {
  IconArrowMerge,
  IconArrowsSplit2,
  IconBolt,
  IconChevronDown,
  IconChevronUp,
  IconDots,
  IconHelpCircle,
  IconLink,
  IconRestore,
  IconShare,
  IconShieldLock,
  IconTrash,
  IconUserCog,
} from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import {
  deleteRecord,
  errorText,
  isApiError,
  isApprovalNeeded,
  type ObjectType,
  type RecordData,
  recordKeys,
  restoreRecord,
} from '@/api';
import { loadWords, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { IconButton, Menu, type MenuEntry, toast } from '@/ui';
import type { Neighbours } from '../list-context';
import { FollowButton } from '../talk/follow-button';

const MergesDialog = lazy(() => import('../merge/merges-dialog').then((module) => ({ default: module.MergesDialog })));

/** Dialogs that few open: their code and words come when somebody does. */
const withWords = <T,>(load: Promise<T>, words = 'rights') =>
  Promise.all([load, loadWords(words)]).then(([module]) => module);
const PressDialog = lazy(() =>
  withWords(import('../automation/press-dialog'), 'automations').then((module) => ({ default: module.PressDialog })),
);
const ShareDialog = lazy(() =>
  withWords(import('../rights/share-dialog')).then((module) => ({ default: module.ShareDialog })),
);
const AssignDialog = lazy(() =>
  withWords(import('../rights/assign-dialog')).then((module) => ({ default: module.AssignDialog })),
);
const ExplainDialog = lazy(() =>
  withWords(import('../rights/explain-dialog')).then((module) => ({ default: module.ExplainDialog })),
);

const PrivacyDialog = lazy(() =>
  Promise.all([import('../privacy/privacy-dialog'), loadWords('privacy')]).then(([module]) => ({
    default: module.PrivacyDialog,
  })),
);

export interface RecordWork {
  remove: (record: RecordData) => Promise<void>;
  restore: (record: Pick<RecordData, 'id' | 'title'>) => Promise<void>;
  copyLink: () => Promise<void>;
}

/** Deleting goes to the recycle bin, so it is not asked about but can be undone. */
export function useRecordWork(object: ObjectType, onRemoved?: () => void): RecordWork {
  const { t } = useTranslation(['records', 'common']);
  const client = useQueryClient();
  const refresh = () =>
    Promise.all([
      client.invalidateQueries({ queryKey: recordKeys.object(object.key) }),
      client.invalidateQueries({ queryKey: ['customers'] }),
    ]);
  const restore = async (record: Pick<RecordData, 'id' | 'title'>) => {
    try {
      await restoreRecord(object.key, record.id);
      await refresh();
      toast.ok(t('records:page.restored', { name: record.title }));
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    }
  };
  return {
    restore,
    async remove(record) {
      try {
        await deleteRecord(object.key, record.id, record.version);
      } catch (error) {
        if (isApprovalNeeded(error)) return;
        toast.error(t('common:failed.save'), { detail: errorText(error) });
        if (isApiError(error, 412)) await refresh();
        return;
      }
      onRemoved?.();
      await refresh();
      toast.ok(t('records:page.deleted', { name: record.title }), {
        action: { label: t('common:undo'), run: () => void restore(record) },
        duration: 8000,
      });
    },
    async copyLink() {
      await navigator.clipboard.writeText(location.href);
      toast.ok(t('common:copied'));
    },
  };
}

interface Props {
  object: ObjectType;
  record: RecordData;
  work: RecordWork;
  neighbours: Neighbours | null;
  onGo: (id: string, row: number) => void;
}

export function RecordActions({ object, record, work, neighbours, onGo }: Props) {
  const { t } = useTranslation(['records', 'common']);
  const can = useCan();
  const navigate = useNavigate();
  const [dialog, setDialog] = useState<'merges' | 'share' | 'assign' | 'explain' | 'privacy' | 'press' | null>(null);
  const may = record.may ?? {};
  const close = () => setDialog(null);
  const entries: MenuEntry[] = [
    { label: t('records:list.copyLink'), icon: <IconLink size={15} />, onSelect: () => void work.copyLink() },
  ];
  if (object.actions.assign && may.assign === true && record.deleted_at === null)
    entries.push({
      label: t('records:page.assign'),
      icon: <IconUserCog size={15} />,
      onSelect: () => setDialog('assign'),
    });
  if (may.share === true && record.deleted_at === null)
    entries.push({
      label: t('records:page.share'),
      icon: <IconShare size={15} />,
      onSelect: () => setDialog('share'),
    });
  if (object.actions.update && may.update !== false && record.deleted_at === null)
    entries.push({
      label: t('records:page.automate'),
      icon: <IconBolt size={15} />,
      onSelect: () => setDialog('press'),
    });
  entries.push({
    label: t('records:page.why'),
    icon: <IconHelpCircle size={15} />,
    onSelect: () => setDialog('explain'),
  });
  if (
    may.update !== false &&
    may.delete !== false &&
    can('record.merge') &&
    object.actions.update &&
    object.actions.delete &&
    record.deleted_at === null
  )
    entries.push(
      {
        label: t('records:page.merge'),
        icon: <IconArrowMerge size={15} />,
        onSelect: () => navigate({ to: '/merge/$object', params: { object: object.key }, search: { ids: record.id } }),
      },
      { label: t('records:page.merges'), icon: <IconArrowsSplit2 size={15} />, onSelect: () => setDialog('merges') },
    );
  if ((object.key === 'customer' || object.key === 'contact') && (can('privacy.manage') || can('privacy.copy')))
    entries.push({
      label: t('records:page.privacy'),
      icon: <IconShieldLock size={15} />,
      onSelect: () => setDialog('privacy'),
    });
  if (object.actions.delete && may.delete !== false && record.deleted_at === null)
    entries.push(
      { divider: true },
      {
        label: t('common:delete'),
        icon: <IconTrash size={15} />,
        danger: true,
        onSelect: () => void work.remove(record),
      },
    );
  if (object.actions.delete && may.delete !== false && record.deleted_at !== null)
    entries.push({
      label: t('records:page.restore'),
      icon: <IconRestore size={15} />,
      onSelect: () => void work.restore(record),
    });
  return (
    <>
      {neighbours !== null && (
        <>
          <IconButton
            label={t('records:page.previous')}
            icon={<IconChevronUp size={17} />}
            disabled={neighbours.previous === null}
            onClick={() => neighbours.previous && onGo(neighbours.previous.id, neighbours.row - 1)}
          />
          <IconButton
            label={t('records:page.next')}
            icon={<IconChevronDown size={17} />}
            disabled={neighbours.next === null}
            onClick={() => neighbours.next && onGo(neighbours.next.id, neighbours.row + 1)}
          />
        </>
      )}
      <FollowButton object={object.key} id={record.id} />
      <Menu
        target={<IconButton label={t('common:more')} icon={<IconDots size={17} />} aria-haspopup="menu" />}
        entries={entries}
      />
      <Suspense>
        {dialog === 'merges' && <MergesDialog object={object} record={record} onClose={close} />}
        {dialog === 'share' && <ShareDialog object={object} record={record} onClose={close} />}
        {dialog === 'assign' && (
          <AssignDialog
            object={object}
            record={record}
            onClose={close}
            onGone={() => navigate({ to: '/o/$object', params: { object: object.key } })}
          />
        )}
        {dialog === 'privacy' && <PrivacyDialog object={object} record={record} onClose={close} />}
        {dialog === 'press' && <PressDialog object={object} set={{ records: [record.id] }} onClose={close} />}
        {dialog === 'explain' && <ExplainDialog object={object} record={record} onClose={close} />}
      </Suspense>
    </>
  );
}
