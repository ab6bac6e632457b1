import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, useId, useRef, useState } from 'react';
import { errorText, usersQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { Button, Textarea, toast } from '@/ui';
import { readable, storable } from './mentions';
import css from './talk.module.css';

interface Props {
  /** What is there already, when a comment is changed. */
  start?: string;
  onSend: (body: string) => Promise<void>;
  onCancel: () => void;
}

const ASKING = /(?:^|\s)@([^\s@]{0,30})$/;
const MOST = 6;

/** A comment; @ offers the people one can name. */
export function CommentForm({ start = '', onSend, onCancel }: Props) {
  const { t } = useTranslation(['work', 'common']);
  const users = useQuery({ ...usersQuery(), retry: false });
  const opened = readable(start);
  const [text, setText] = useState(opened.text);
  const [named, setNamed] = useState<ReadonlyMap<string, string>>(opened.people);
  const [caret, setCaret] = useState(opened.text.length);
  const [at, setAt] = useState(0);
  const [busy, setBusy] = useState(false);
  const box = useRef<HTMLTextAreaElement>(null);
  const list = useId();
  const asked = ASKING.exec(text.slice(0, caret))?.[1];
  const found =
    asked === undefined
      ? []
      : (users.data?.items ?? [])
          .filter((user) => !user.disabled)
          .filter((user) => `${user.name} ${user.email}`.toLowerCase().includes(asked.toLowerCase()))
          .slice(0, MOST);
  const choose = (place: number) => {
    const user = found[place];
    if (user === undefined || asked === undefined) return;
    const name = user.name || user.email;
    const before = text.slice(0, caret - asked.length);
    const next = `${before}${name} ${text.slice(caret)}`;
    setText(next);
    setNamed(new Map(named).set(name, user.id));
    setAt(0);
    const place2 = before.length + name.length + 1;
    setCaret(place2);
    requestAnimationFrame(() => {
      box.current?.focus();
      box.current?.setSelectionRange(place2, place2);
    });
  };
  const send = async () => {
    const body = storable(text.trim(), named);
    if (body === '' || busy) return;
    setBusy(true);
    try {
      await onSend(body);
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
      setBusy(false);
    }
  };
  const onKey = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.nativeEvent.isComposing) return;
    if (found.length > 0 && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault();
      setAt((at + (event.key === 'ArrowDown' ? 1 : -1) + found.length) % found.length);
    } else if (found.length > 0 && (event.key === 'Enter' || event.key === 'Tab')) {
      event.preventDefault();
      choose(at);
    } else if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) {
      event.preventDefault();
      void send();
    } else if (event.key === 'Escape') {
      onCancel();
    }
  };
  return (
    <form
      className={css.form}
      aria-label={t('work:comment')}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <Textarea
        ref={box}
        aria-label={t('work:comment')}
        placeholder={t('work:commentPlaceholder')}
        value={text}
        minRows={2}
        autoFocus
        onChange={(next) => {
          setText(next);
          setCaret(box.current?.selectionStart ?? next.length);
          setAt(0);
        }}
        onKeyDown={onKey}
      />
      {found.length > 0 && (
        <ul className={css.people} id={list} aria-label={t('work:mention')}>
          {found.map((user, place) => (
            <li key={user.id}>
              <button
                type="button"
                className={css.person}
                data-on={place === at || undefined}
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => choose(place)}
              >
                <span>{user.name || user.email}</span>
                <span className="muted">{user.email}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <div className={css.foot}>
        <Button onClick={onCancel}>{t('common:cancel')}</Button>
        <Button kind="primary" type="submit" loading={busy} disabled={text.trim() === ''}>
          {t('work:send')}
        </Button>
      </div>
    </form>
  );
}
