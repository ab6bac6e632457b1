import {
  IconArrowMerge,
  IconArrowsSplit2,
  IconBolt,
  IconDots,
  IconHelpCircle,
  IconLink,
  IconRestore,
  IconShare,
  IconShieldLock,
  IconTrash,
  IconUserCog,
} from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import type { ObjectType, RecordData } from '@/api';
import { loadWords, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { IconButton, Menu, type MenuEntry } from '@/ui';
import type { RecordWork } from './record-work';

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

interface Props {
  object: ObjectType;
  record: RecordData;
  work: RecordWork;
}

/** What else can be done with a record. It is fetched when somebody is about to open it, and opens at once. */
export function RecordMenu({ object, record, work }: Props) {
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
      <Menu
        startOpen
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
