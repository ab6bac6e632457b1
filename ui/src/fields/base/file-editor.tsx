import { IconArrowDown, IconArrowUp, IconCamera, IconUpload, IconX } from '@tabler/icons-react';
import { type ClipboardEvent, type DragEvent, useEffect, useRef, useState } from 'react';
import type { Field, FileValue } from '@/api';
import { labelText, useFormat, useLanguage, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { IconButton, Progress } from '@/ui';
import { type EditorProps, isEmptyValue } from '../kind';
import { acceptOf } from './file-accept';
import css from './file-editor.module.css';
import { FileSign } from './file-stack';
import { asFiles } from './file-value';
import { type Sending, useFieldUploads } from './use-field-uploads';

interface ListProps {
  files: readonly FileValue[];
  onChange: (files: FileValue[]) => void;
  onRemove: (file: FileValue) => void;
  disabled: boolean;
}

/** The files that the value holds, in their order. */
function Files({ files, onChange, onRemove, disabled }: ListProps) {
  const { t } = useTranslation('filefield');
  const fmt = useFormat();
  const move = (from: number, to: number) => {
    const next = [...files];
    next.splice(to, 0, ...next.splice(from, 1));
    onChange(next);
  };
  return files.map((file, at) => (
    <li key={file.id} className={css.item}>
      <FileSign file={file} className={css.sign} />
      <span className={css.what}>
        <span className={css.name}>{file.name ?? t('gone')}</span>
        {file.size !== undefined && <span className="muted">{fmt.bytes(file.size)}</span>}
      </span>
      {files.length > 1 && (
        <>
          <IconButton
            size="sm"
            label={t('up', { name: file.name ?? '' })}
            icon={<IconArrowUp size={14} />}
            disabled={disabled || at === 0}
            onClick={() => move(at, at - 1)}
          />
          <IconButton
            size="sm"
            label={t('down', { name: file.name ?? '' })}
            icon={<IconArrowDown size={14} />}
            disabled={disabled || at === files.length - 1}
            onClick={() => move(at, at + 1)}
          />
        </>
      )}
      <IconButton
        size="sm"
        label={t('remove', { name: file.name ?? '' })}
        icon={<IconX size={14} />}
        disabled={disabled}
        onClick={() => onRemove(file)}
      />
    </li>
  ));
}

/** What is on its way, and what could not be sent. */
function OnTheirWay({ list, onDrop }: { list: readonly Sending[]; onDrop: (each: Sending) => void }) {
  const { t } = useTranslation('filefield');
  return list.map((each) => (
    <li key={each.key} className={css.item}>
      <span className={css.what}>
        <span className={css.name}>{each.name}</span>
        {each.problem === '' ? (
          <Progress value={each.share} label={each.name} />
        ) : (
          <span className={css.problem} role="alert">
            {each.problem}
          </span>
        )}
      </span>
      <IconButton
        size="sm"
        label={t(each.problem === '' ? 'stop' : 'dismiss', { name: each.name })}
        icon={<IconX size={14} />}
        onClick={() => onDrop(each)}
      />
    </li>
  ));
}

function Ways({ field, send, autoFocus }: { field: Field; send: (files: File[]) => void; autoFocus: boolean }) {
  const { t } = useTranslation('filefield');
  const chosen = useRef<HTMLInputElement>(null);
  const camera = useRef<HTMLInputElement>(null);
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (autoFocus) first.current?.focus();
  }, [autoFocus]);
  const take = (input: HTMLInputElement) => {
    const files = [...(input.files ?? [])];
    input.value = '';
    send(files);
  };
  const pictures =
    field.type === 'image' || field.kinds?.includes('image') === true || (field.kinds ?? []).length === 0;
  const shared = { type: 'file', hidden: true, tabIndex: -1 } as const;
  return (
    <div className={css.ways}>
      <button type="button" ref={first} className={css.way} onClick={() => chosen.current?.click()}>
        <IconUpload size={15} aria-hidden />
        {t(field.type === 'image' ? 'choosePicture' : 'chooseFile')}
      </button>
      {pictures && (
        <button type="button" className={cx(css.way, css.camera)} onClick={() => camera.current?.click()}>
          <IconCamera size={15} aria-hidden />
          {t('camera')}
        </button>
      )}
      <span className={css.hint}>{t('hint')}</span>
      <input
        ref={chosen}
        {...shared}
        accept={acceptOf(field)}
        multiple={(field.max ?? 1) > 1}
        onChange={(event) => take(event.currentTarget)}
      />
      <input
        ref={camera}
        {...shared}
        accept="image/*"
        capture="environment"
        onChange={(event) => take(event.currentTarget)}
      />
    </div>
  );
}

/** Files chosen, dropped, pasted or photographed; put into order, removed and taken back before anything is saved. */
export function FileEditor(props: EditorProps) {
  const { field, value, onChange, label, description, error, inCell, disabled } = props;
  const { t } = useTranslation('filefield');
  const language = useLanguage();
  const files = asFiles(value);
  const [removed, setRemoved] = useState<readonly { file: FileValue; at: number }[]>([]);
  const [over, setOver] = useState(false);
  const change = (next: readonly FileValue[]) => onChange(next.length === 0 ? null : next);
  const { list, send, drop } = useFieldUploads(field, files, change, props.onBusy, (file) =>
    setRemoved((old) => [...old, { file, at: 0 }]),
  );
  const remove = (file: FileValue) => {
    setRemoved((old) => [...old, { file, at: files.indexOf(file) }]);
    change(files.filter((each) => each !== file));
  };
  const takeBack = (which: { file: FileValue; at: number }) => {
    setRemoved((old) => old.filter((each) => each !== which));
    const most = field.max ?? 1;
    const room = most === 1 ? [] : files.slice(0, most - 1);
    change([...room.slice(0, which.at), which.file, ...room.slice(which.at)]);
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    event.stopPropagation();
    setOver(false);
    send([...event.dataTransfer.files]);
  };
  const onPaste = (event: ClipboardEvent) => {
    const pasted = [...event.clipboardData.files];
    if (pasted.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    send(pasted);
  };
  const name = props['aria-label'] ?? labelText(field.label, language, field.key);
  return (
    <div className={css.editor}>
      {inCell !== true && label !== undefined && (
        <span className={css.label}>
          {label}
          {props.required === true && <span className={css.needed}> *</span>}
        </span>
      )}
      {!isEmptyValue(description) && <span className="muted">{description}</span>}
      {/* biome-ignore lint/a11y/useSemanticElements: no set of inputs, but a place for files. */}
      <div
        role="group"
        aria-label={name}
        className={css.box}
        data-over={over || undefined}
        data-wrong={error !== undefined || undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={onDrop}
        onPaste={onPaste}
      >
        {files.length + list.length + removed.length > 0 && (
          <ul className={css.items}>
            <Files files={files} onChange={change} onRemove={remove} disabled={disabled === true} />
            <OnTheirWay list={list} onDrop={drop} />
            {removed.map((each) => (
              <li key={`gone-${each.file.id}`} className={css.item}>
                <span className={cx('muted', css.what)}>{t('removed', { name: each.file.name ?? '' })}</span>
                <button type="button" className={css.back} onClick={() => takeBack(each)}>
                  {t('undo')}
                  <span className="sr-only"> {each.file.name}</span>
                </button>
              </li>
            ))}
          </ul>
        )}
        {disabled !== true && (
          <Ways field={field} send={send} autoFocus={props.autoFocus === true || inCell === true} />
        )}
      </div>
      {error !== undefined && (
        <span className={css.problem} role="alert">
          {error}
        </span>
      )}
    </div>
  );
}
