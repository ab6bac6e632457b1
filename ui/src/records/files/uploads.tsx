import { IconCamera, IconPaperclip, IconX } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { addFile, errorText, filesQuery, type RecordData, refreshWork } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { IconButton, Progress, toast } from '@/ui';
import css from './files.module.css';

interface Sending {
  key: number;
  name: string;
  share: number;
  problem: string;
  stop: AbortController;
}

/** A picture from the clipboard has no name worth keeping. */
function pastedName(file: File, stamp: string, at: number): File {
  if (!/^image\.\w+$/.test(file.name) && file.name !== '') return file;
  const ending = file.type.split('/')[1] ?? 'png';
  return new File([file], `${stamp}${at > 0 ? `-${at + 1}` : ''}.${ending}`, { type: file.type });
}

const filesOf = (data: DataTransfer | null): File[] => (data === null ? [] : [...data.files]);

/** What is being sent to a record, and the ways to send: chosen, photographed, dropped onto the page, pasted. */
function useUploads(record: RecordData) {
  const { t } = useTranslation(['files', 'common']);
  const fmt = useFormat();
  const client = useQueryClient();
  const { data } = useQuery(filesQuery(record.object, record.id));
  const [list, setList] = useState<readonly Sending[]>([]);
  const next = useRef(1);
  const max = data?.max_bytes ?? 0;
  const change = useCallback(
    (key: number, patch: Partial<Sending>) =>
      setList((old) => old.map((each) => (each.key === key ? { ...each, ...patch } : each))),
    [],
  );
  const drop = useCallback((key: number) => setList((old) => old.filter((each) => each.key !== key)), []);
  const send = useCallback(
    async (files: readonly File[]) => {
      for (const file of files) {
        const key = next.current++;
        const stop = new AbortController();
        const tooLarge = max > 0 && file.size > max;
        const problem = tooLarge ? t('files:tooLarge', { max: fmt.bytes(max) }) : '';
        setList((old) => [...old, { key, name: file.name, share: 0, problem, stop }]);
        if (tooLarge) continue;
        try {
          // One after another: a phone's line is not made faster by sharing it.
          await addFile(
            record.object,
            record.id,
            file,
            ({ sent, total }) => change(key, { share: total === 0 ? 0 : sent / total }),
            stop.signal,
          );
          drop(key);
          toast.ok(t('files:added', { name: file.name }));
          await refreshWork(client);
        } catch (error) {
          if (stop.signal.aborted) drop(key);
          else change(key, { problem: errorText(error) });
        }
      }
    },
    [record.object, record.id, client, max, t, fmt, change, drop],
  );
  return { list, send, drop, may: data?.can_add === true };
}

/** Files dropped anywhere on the page, and pictures pasted outside of inputs, go to the record. */
function usePageDrop(active: boolean, send: (files: File[]) => Promise<void>, stamp: string): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    if (!active) return;
    const carries = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true;
    const onOver = (event: DragEvent) => {
      if (!carries(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const onLeave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const onDrop = (event: DragEvent) => {
      setOver(false);
      if (!carries(event) || event.defaultPrevented) return;
      event.preventDefault();
      void send(filesOf(event.dataTransfer));
    };
    const onPaste = (event: ClipboardEvent) => {
      const files = filesOf(event.clipboardData);
      const into = event.target instanceof Element && event.target.closest('input, textarea, [contenteditable="true"]');
      // A cell copied from a table is both text and a picture of it: in an input the text is meant.
      if (files.length === 0 || event.defaultPrevented || (into && event.clipboardData?.types.includes('text/plain')))
        return;
      event.preventDefault();
      void send(files.map((file, at) => pastedName(file, stamp, at)));
    };
    document.addEventListener('dragover', onOver);
    document.addEventListener('dragleave', onLeave);
    document.addEventListener('drop', onDrop);
    document.addEventListener('paste', onPaste);
    return () => {
      document.removeEventListener('dragover', onOver);
      document.removeEventListener('dragleave', onLeave);
      document.removeEventListener('drop', onDrop);
      document.removeEventListener('paste', onPaste);
    };
  }, [active, send, stamp]);
  return over;
}

/** The buttons that add files, with the class that the buttons beside them have, and what is on its way. */
export function useFileButtons(record: RecordData, buttonClass: string | undefined) {
  const { t } = useTranslation(['files', 'common']);
  const { list, send, drop, may } = useUploads(record);
  const over = usePageDrop(may, send, t('files:pasted'));
  const chosen = useRef<HTMLInputElement>(null);
  const camera = useRef<HTMLInputElement>(null);
  const take = (input: HTMLInputElement) => {
    const files = [...(input.files ?? [])];
    input.value = '';
    void send(files);
  };
  const buttons = may && (
    <>
      <button type="button" className={buttonClass} onClick={() => chosen.current?.click()}>
        <IconPaperclip size={15} stroke={1.7} aria-hidden />
        {t('files:file')}
      </button>
      <button type="button" className={`${buttonClass ?? ''} ${css.camera}`} onClick={() => camera.current?.click()}>
        <IconCamera size={15} stroke={1.7} aria-hidden />
        {t('files:photo')}
      </button>
      <input ref={chosen} type="file" multiple hidden onChange={(event) => take(event.currentTarget)} />
      <input
        ref={camera}
        type="file"
        accept="image/*"
        capture="environment"
        hidden
        onChange={(event) => take(event.currentTarget)}
      />
    </>
  );
  const sending = (
    <>
      {over && <div className={css.over}>{t('files:dropHere', { name: record.title })}</div>}
      {list.length > 0 && (
        <ul className={css.sending} aria-label={t('files:sending')}>
          {list.map((each) => (
            <li key={each.key}>
              <span className={css.name}>{each.name}</span>
              {each.problem === '' ? (
                <Progress value={each.share} label={each.name} />
              ) : (
                <span className={css.problem} role="alert">
                  {each.problem}
                </span>
              )}
              <IconButton
                size="sm"
                label={t('common:cancel')}
                icon={<IconX size={14} />}
                onClick={() => {
                  each.stop.abort();
                  drop(each.key);
                }}
              />
            </li>
          ))}
        </ul>
      )}
    </>
  );
  return { may, buttons, sending };
}
