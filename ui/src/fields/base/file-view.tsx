import { IconChevronLeft, IconChevronRight, IconDownload } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { type Field, type FileValue, fileUrl } from '@/api';
import { labelText, useTranslation } from '@/i18n';
import { useEvent } from '@/lib/hooks';
import { IconButton, Modal } from '@/ui';
import type { FieldContext } from '../kind';
import { FileSign } from './file-stack';
import { asFiles } from './file-value';
import css from './file-view.module.css';

interface ViewerProps {
  name: string;
  files: readonly FileValue[];
  at: number;
  onMove: (at: number) => void;
  onClose: () => void;
}

/** Pictures as large as there is room, one after another. */
function Viewer({ name, files, at, onMove, onClose }: ViewerProps) {
  const { t } = useTranslation('filefield');
  const file = files[at];
  const go = (step: number) => onMove((at + step + files.length) % files.length);
  const onKeyDown = useEvent((event: KeyboardEvent) => {
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: files.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    onMove((to + files.length) % files.length);
  });
  // The keys work wherever the focus is, as nothing else can be reached while a picture is large.
  useEffect(() => {
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [onKeyDown]);
  if (file === undefined) return null;
  return (
    <Modal opened onClose={onClose} title={file.name ?? name} size="min(1100px, 96vw)">
      <div className={css.viewer}>
        <img className={css.large} src={fileUrl(file.id, true)} alt={file.name ?? name} />
        <div className={css.bar}>
          {files.length > 1 && (
            <IconButton label={t('previous')} icon={<IconChevronLeft size={18} />} onClick={() => go(-1)} />
          )}
          {files.length > 1 && (
            <span className="muted" aria-live="polite">
              {t('place', { at: at + 1, count: files.length })}
            </span>
          )}
          {files.length > 1 && (
            <IconButton label={t('next')} icon={<IconChevronRight size={18} />} onClick={() => go(1)} />
          )}
          <a className={css.download} href={fileUrl(file.id)} download={file.name}>
            <IconDownload size={16} aria-hidden />
            {t('download')}
          </a>
        </div>
      </div>
    </Modal>
  );
}

interface Props {
  field: Field;
  value: unknown;
  context: FieldContext;
}

/** The files of a field on a page: pictures open large, everything else is downloaded. */
export function FilesView({ field, value, context }: Props) {
  const { t } = useTranslation('filefield');
  const [open, setOpen] = useState<number | null>(null);
  const files = asFiles(value);
  const pictures = files.filter((file) => file.thumbnail !== undefined);
  const others = files.filter((file) => file.thumbnail === undefined);
  const name = labelText(field.label, context.language, field.key);
  return (
    <div className={css.view}>
      {pictures.length > 0 && (
        <ul className={css.pictures} aria-label={name}>
          {pictures.map((file, at) => (
            <li key={file.id}>
              <button
                type="button"
                className={css.picture}
                aria-label={t('open', { name: file.name ?? '' })}
                onClick={() => setOpen(at)}
              >
                <FileSign file={file} className={css.fill} />
              </button>
            </li>
          ))}
        </ul>
      )}
      {others.length > 0 && (
        <ul className={css.others} aria-label={name}>
          {others.map((file) => (
            <li key={file.id}>
              <FileSign file={file} />
              {file.name === undefined ? (
                <span className="muted">{t('gone')}</span>
              ) : (
                <a className={css.name} href={fileUrl(file.id)} download={file.name}>
                  {file.name}
                </a>
              )}
              {file.size !== undefined && <span className="muted">{context.fmt.bytes(file.size)}</span>}
            </li>
          ))}
        </ul>
      )}
      {open !== null && (
        <Viewer name={name} files={pictures} at={open} onMove={setOpen} onClose={() => setOpen(null)} />
      )}
    </div>
  );
}
