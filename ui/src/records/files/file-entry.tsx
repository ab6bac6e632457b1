import { IconDots, IconDownload, IconFile, IconPencil, IconTrash } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { deleteFile, errorText, fileUrl, type RecordFile, refreshWork, renameFile, restoreFile } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Button, IconButton, Menu, type MenuEntry, TextInput, toast } from '@/ui';
import css from './files.module.css';

/** Larger pictures are downloaded when somebody wants them, not while scrolling. */
const PREVIEW_BYTES = 12_000_000;

function Rename({ file, onDone }: { file: RecordFile; onDone: () => void }) {
  const { t } = useTranslation(['files', 'common']);
  const client = useQueryClient();
  const [name, setName] = useState(file.name);
  const [problem, setProblem] = useState('');
  const save = async () => {
    try {
      await renameFile(file.id, name);
      onDone();
      await refreshWork(client);
    } catch (error) {
      setProblem(errorText(error));
    }
  };
  return (
    <form
      className={css.rename}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <TextInput label={t('files:name')} value={name} onChange={setName} error={problem} autoFocus />
      <div className={css.foot}>
        <Button onClick={onDone}>{t('common:cancel')}</Button>
        <Button kind="primary" type="submit">
          {t('common:save')}
        </Button>
      </div>
    </form>
  );
}

/** A file as it stands in the timeline: seen, downloaded, renamed, removed and taken back. */
export function FileEntry({ file }: { file: RecordFile }) {
  const { t } = useTranslation(['files', 'common']);
  const fmt = useFormat();
  const client = useQueryClient();
  const [renaming, setRenaming] = useState(false);
  const run = async (work: () => Promise<unknown>, done?: () => void) => {
    try {
      await work();
      done?.();
      await refreshWork(client);
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    }
  };
  const restore = () => void run(() => restoreFile(file.id));
  if (file.deleted_at !== null)
    return (
      <div className={css.gone}>
        <span>{t('files:removedBy', { name: file.name, person: file.deleted_by?.name ?? '' })}</span>
        {file.can_change && (
          <button type="button" className={css.restore} onClick={restore}>
            {t('files:restore')}
          </button>
        )}
      </div>
    );
  if (renaming) return <Rename file={file} onDone={() => setRenaming(false)} />;
  const remove = () =>
    void run(
      () => deleteFile(file.id),
      () => toast.ok(t('files:removed', { name: file.name }), { action: { label: t('common:undo'), run: restore } }),
    );
  const entries: MenuEntry[] = [
    { label: t('files:rename'), icon: <IconPencil size={15} />, onSelect: () => setRenaming(true) },
    { label: t('common:delete'), icon: <IconTrash size={15} />, danger: true, onSelect: remove },
  ];
  return (
    <div className={css.file}>
      {file.preview && file.size <= PREVIEW_BYTES ? (
        <a className={css.picture} href={fileUrl(file.id, true)} target="_blank" rel="noreferrer">
          <img src={fileUrl(file.id, true)} alt={file.name} loading="lazy" decoding="async" />
        </a>
      ) : (
        <span className={css.sign}>
          <IconFile size={20} stroke={1.5} aria-hidden />
        </span>
      )}
      <div className={css.what}>
        <a className={css.name} href={fileUrl(file.id)} download={file.name}>
          {file.name}
        </a>
        <span className="muted">{fmt.bytes(file.size)}</span>
      </div>
      <a
        className={css.download}
        href={fileUrl(file.id)}
        download={file.name}
        aria-label={t('files:download', { name: file.name })}
      >
        <IconDownload size={16} aria-hidden />
      </a>
      {file.can_change && (
        <Menu
          target={
            <IconButton
              size="sm"
              tooltip={false}
              label={t('files:more', { name: file.name })}
              icon={<IconDots size={15} />}
              aria-haspopup="menu"
            />
          }
          entries={entries}
        />
      )}
    </div>
  );
}
