import { IconDots, IconPencil, IconTrash } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { type Comment, deleteComment, editComment, errorText, refreshWork, revisionsQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { confirm, IconButton, Menu, type MenuEntry, toast } from '@/ui';
import { partsOf } from './mentions';
import css from './talk.module.css';

const CommentForm = lazy(() => import('./comment-form').then((module) => ({ default: module.CommentForm })));

export function CommentText({ body }: { body: string }) {
  return (
    <div className={css.body}>
      {partsOf(body).map((part, at) =>
        part.person === undefined ? (
          part.text
        ) : (
          <strong key={`${part.person}${at}`} className={css.mention}>
            {part.text}
          </strong>
        ),
      )}
    </div>
  );
}

function Revisions({ id }: { id: string }) {
  const fmt = useFormat();
  const { data } = useQuery(revisionsQuery(id));
  return (
    <ol className={css.revisions}>
      {data?.items.map((revision) => (
        <li key={revision.version}>
          <time className="muted" dateTime={revision.at}>
            {fmt.datetime(revision.at)}
          </time>
          <CommentText body={revision.body} />
        </li>
      ))}
    </ol>
  );
}

/** What somebody said, with what it said before; one's own can be changed and taken back. */
export function CommentEntry({ comment }: { comment: Comment }) {
  const { t } = useTranslation(['work', 'common']);
  const client = useQueryClient();
  const [editing, setEditing] = useState(false);
  const [former, setFormer] = useState(false);
  if (comment.deleted_at !== null)
    return <div className={css.gone}>{t('work:commentDeleted', { name: comment.deleted_by?.name ?? '' })}</div>;
  const remove = async () => {
    const sure = await confirm({ title: t('work:commentDelete'), confirm: t('common:delete'), danger: true });
    if (!sure) return;
    try {
      await deleteComment(comment.id);
      await refreshWork(client);
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    }
  };
  const entries: MenuEntry[] = [];
  if (comment.mine)
    entries.push({ label: t('common:edit'), icon: <IconPencil size={15} />, onSelect: () => setEditing(true) });
  if (comment.can_delete)
    entries.push({
      label: t('common:delete'),
      icon: <IconTrash size={15} />,
      danger: true,
      onSelect: () => void remove(),
    });
  if (editing)
    return (
      <Suspense>
        <CommentForm
          start={comment.body}
          onCancel={() => setEditing(false)}
          onSend={async (body) => {
            await editComment(comment.id, body, comment.version);
            setEditing(false);
            await refreshWork(client);
          }}
        />
      </Suspense>
    );
  return (
    <div className={css.comment}>
      <div className={css.said}>
        <CommentText body={comment.body} />
        {entries.length > 0 && (
          <Menu
            target={
              <IconButton
                size="sm"
                tooltip={false}
                label={t('common:more')}
                icon={<IconDots size={15} />}
                aria-haspopup="menu"
              />
            }
            entries={entries}
          />
        )}
      </div>
      {comment.edited_at !== null && (
        <button type="button" className={css.edited} aria-expanded={former} onClick={() => setFormer(!former)}>
          {t('work:commentEdited')}
        </button>
      )}
      {former && <Revisions id={comment.id} />}
    </div>
  );
}
