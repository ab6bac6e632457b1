import { type FileValue, thumbnailUrl } from '@/api';
import { cx } from '@/lib/cx';
import css from './file-stack.module.css';
import { endingOf } from './file-value';

/** A small picture of a file, or the ending of its name. */
export function FileSign({ file, className }: { file: FileValue; className?: string | undefined }) {
  if (file.thumbnail === undefined)
    return (
      <span className={cx(css.sheet, className)} aria-hidden>
        {endingOf(file)}
      </span>
    );
  return (
    <img
      className={cx(css.thumb, className)}
      src={thumbnailUrl(file.id)}
      alt={file.name ?? ''}
      loading="lazy"
      decoding="async"
    />
  );
}

const MOST = 3;

/** Files in the cell of a list: pictures as a stack, otherwise the first name and how many more. */
export function FileStack({ files }: { files: readonly FileValue[] }) {
  const [first] = files;
  if (first === undefined) return null;
  const pictures = files.filter((file) => file.thumbnail !== undefined);
  const names = files.map((file) => file.name ?? '').join(', ');
  const shown = pictures.length === files.length ? pictures.slice(0, MOST) : [first];
  const more = files.length - shown.length;
  return (
    <span className={css.stack} title={names}>
      {shown.map((file) => (
        <FileSign key={file.id} file={file} />
      ))}
      {shown.length === 1 && pictures.length < files.length && <span className="truncate">{first.name}</span>}
      {more > 0 && <span className={css.more}>+{more}</span>}
    </span>
  );
}
