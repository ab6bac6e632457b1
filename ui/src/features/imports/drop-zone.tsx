import { IconFile, IconFileUpload, IconX } from '@tabler/icons-react';
import { type DragEvent, useId, useRef, useState } from 'react';
import { useFormat, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { Button, IconButton } from '@/ui';
import css from './imports.module.css';

const KINDS = '.csv,.tsv,.txt,.xlsx,.ndjson,.jsonl,.parquet,.gz';
export const EXTENSIONS = KINDS.split(',');

interface Props {
  file: File | null;
  onPick: (file: File | null) => void;
  disabled: boolean;
}

/** Drop a file or choose one. The button is the way for the keyboard. */
export function DropZone({ file, onPick, disabled }: Props) {
  const { t } = useTranslation('imports');
  const fmt = useFormat();
  const input = useRef<HTMLInputElement>(null);
  const help = useId();
  const [over, setOver] = useState(false);
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const dropped = event.dataTransfer.files[0];
    if (dropped !== undefined && !disabled) onPick(dropped);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is an extra; the button inside does the same
    <div
      className={cx(css.drop, over && css.dropOver)}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
    >
      <input
        ref={input}
        type="file"
        accept={KINDS}
        className="sr-only"
        tabIndex={-1}
        aria-label={t('imports:chooseFile')}
        aria-describedby={help}
        disabled={disabled}
        onChange={(event) => {
          onPick(event.currentTarget.files?.[0] ?? null);
          event.currentTarget.value = '';
        }}
      />
      {file === null ? (
        <>
          <IconFileUpload size={28} stroke={1.4} aria-hidden className={css.dropIcon} />
          <div className={css.dropTitle}>{t('imports:dropHere')}</div>
          <p id={help} className="muted">
            {t('imports:kinds')}
          </p>
          <Button onClick={() => input.current?.click()} disabled={disabled}>
            {t('imports:chooseFile')}
          </Button>
        </>
      ) : (
        <div className={css.chosen}>
          <IconFile size={22} stroke={1.4} aria-hidden />
          <span className="truncate grow">{file.name}</span>
          <span className="muted">{fmt.bytes(file.size)}</span>
          {!disabled && (
            <IconButton label={t('imports:removeFile')} icon={<IconX size={16} />} onClick={() => onPick(null)} />
          )}
        </div>
      )}
    </div>
  );
}
