import { useEffect, useRef, useState } from 'react';
import { errorText, type Field, type FileValue, uploadFieldFile } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useEvent } from '@/lib/hooks';

export interface Sending {
  key: number;
  name: string;
  share: number;
  problem: string;
  stop: AbortController;
}

/** A picture from the clipboard has no name worth keeping. */
function named(file: File, stamp: string): File {
  if (!/^image\.\w+$/.test(file.name) && file.name !== '') return file;
  return new File([file], `${stamp}.${file.type.split('/')[1] ?? 'png'}`, { type: file.type });
}

/** Sends files for a field; what arrived joins the value. A field of one file gives up the one that it had. */
export function useFieldUploads(
  field: Field,
  files: readonly FileValue[],
  onChange: (files: readonly FileValue[]) => void,
  onBusy: ((busy: boolean) => void) | undefined,
  onReplaced: (file: FileValue) => void,
) {
  const { t } = useTranslation('filefield');
  const fmt = useFormat();
  const [list, setList] = useState<readonly Sending[]>([]);
  const newest = useRef(files);
  const next = useRef(1);
  const running = useRef(new Set<AbortController>());
  const most = field.max ?? 1;
  useEffect(() => {
    newest.current = files;
  });
  useEffect(() => {
    const all = running.current;
    return () => {
      for (const stop of all) stop.abort();
    };
  }, []);
  const patch = (key: number, change: Partial<Sending>) =>
    setList((old) => old.map((each) => (each.key === key ? { ...each, ...change } : each)));
  const join = useEvent((file: FileValue) => {
    const had = newest.current;
    const [replaced] = had;
    if (most === 1 && replaced !== undefined) onReplaced(replaced);
    newest.current = most === 1 ? [file] : [...had, file];
    onChange(newest.current);
  });
  const objection = (file: File, room: number): string => {
    if (room <= 0) return t('tooMany', { count: most });
    if (field.max_bytes !== undefined && file.size > field.max_bytes)
      return t('tooLarge', { max: fmt.bytes(field.max_bytes) });
    return '';
  };
  const send = async (given: readonly File[]) => {
    const wanted = given.map((file, at) => {
      const room = most === 1 ? 1 - at : most - newest.current.length - running.current.size - at;
      const stop = new AbortController();
      return { file: named(file, t('pasted')), stop, problem: objection(file, room), key: next.current++ };
    });
    setList((old) => [...old, ...wanted.map((each) => ({ ...each, name: each.file.name, share: 0 }))]);
    const going = wanted.filter((each) => each.problem === '');
    for (const each of going) running.current.add(each.stop);
    if (running.current.size > 0) onBusy?.(true);
    for (const { file, stop, key } of going) {
      try {
        // One after another: a phone's line is not made faster by sharing it.
        if (stop.signal.aborted) throw new DOMException('aborted', 'AbortError');
        const arrived = await uploadFieldFile(
          field,
          file,
          ({ sent, total }) => patch(key, { share: total === 0 ? 0 : sent / total }),
          stop.signal,
        );
        setList((old) => old.filter((each) => each.key !== key));
        if (!stop.signal.aborted) join(arrived);
      } catch (error) {
        if (stop.signal.aborted) setList((old) => old.filter((each) => each.key !== key));
        else patch(key, { problem: errorText(error) });
      }
      running.current.delete(stop);
    }
    if (running.current.size === 0) onBusy?.(false);
  };
  const drop = (each: Sending) => {
    each.stop.abort();
    setList((old) => old.filter((other) => other.key !== each.key));
  };
  return { list, send: (given: readonly File[]) => void send(given), drop };
}
