import { IconMail, IconMessage } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { ACTIVITIES, type Activity, type ObjectType, postComment, type RecordData, refreshWork } from '@/api';
import { labelText, useLanguage, useTranslation } from '@/i18n';
import { findObject, useCan, useObjects } from '@/metadata';
import { SkeletonRows } from '@/ui';
import { useFileButtons } from '../files/uploads';
import { WaitingPlace } from '../offline/lazy-waiting';
import css from './composer.module.css';
import { ACTIVITY_SIGNS } from './signs';

const ActivityForm = lazy(() => import('./activity-form').then((module) => ({ default: module.ActivityForm })));
const LetterForm = lazy(() => import('../letter/letter-form').then((module) => ({ default: module.LetterForm })));
const CommentForm = lazy(() => import('../talk/comment-form').then((module) => ({ default: module.CommentForm })));

const ORDER: readonly Activity[] = ['note', 'task', 'call', 'meeting', 'visit'];
/** The activities that this person may write down here. */
export function useComposable(): { key: Activity; object: ObjectType }[] {
  const objects = useObjects();
  return ORDER.flatMap((key) => {
    const object = objects.find((each) => each.key === key && each.standard && each.actions.create);
    return object === undefined || !ACTIVITIES.includes(key) ? [] : [{ key, object }];
  });
}

/** The row of things one can add to a record, and the form of the chosen one. */
export function Composer({ record }: { record: RecordData }) {
  const { t } = useTranslation('work');
  const language = useLanguage();
  const kinds = useComposable();
  const client = useQueryClient();
  const [chosen, setChosen] = useState<Activity | 'comment' | 'letter' | null>(null);
  const may = useCan()('mail.send');
  const objects = useObjects();
  const files = useFileButtons(record, css.kind);
  if ((kinds.length === 0 && !files.may) || record.deleted_at !== null) return null;
  const writes = may && findObject(objects, record.object)?.fields.some((field) => field.type === 'email') === true;
  const open = kinds.find((each) => each.key === chosen);
  return (
    <>
      <section className={css.composer} aria-label={t('work:add')}>
        <div className={css.kinds}>
          <button
            type="button"
            className={css.kind}
            aria-expanded={chosen === 'comment'}
            onClick={() => setChosen(chosen === 'comment' ? null : 'comment')}
          >
            <IconMessage size={15} stroke={1.7} aria-hidden />
            {t('work:comment')}
          </button>
          {writes && (
            <button
              type="button"
              className={css.kind}
              aria-expanded={chosen === 'letter'}
              onClick={() => setChosen(chosen === 'letter' ? null : 'letter')}
            >
              <IconMail size={15} stroke={1.7} aria-hidden />
              {t('work:letter')}
            </button>
          )}
          {files.buttons}
          {kinds.map(({ key, object }) => {
            const Sign = ACTIVITY_SIGNS[key];
            return (
              <button
                key={key}
                type="button"
                className={css.kind}
                aria-expanded={chosen === key}
                onClick={() => setChosen(chosen === key ? null : key)}
              >
                <Sign size={15} stroke={1.7} aria-hidden />
                {labelText(object.label, language, key)}
              </button>
            );
          })}
        </div>
        {files.sending}
        {chosen === 'comment' && (
          <div className={css.line}>
            <Suspense fallback={<SkeletonRows rows={2} />}>
              <CommentForm
                onCancel={() => setChosen(null)}
                onSend={async (body) => {
                  await postComment(record.object, record.id, body);
                  setChosen(null);
                  void refreshWork(client);
                  void client.invalidateQueries({ queryKey: ['follow'] });
                }}
              />
            </Suspense>
          </div>
        )}
        {chosen === 'letter' && (
          <Suspense fallback={<SkeletonRows rows={3} />}>
            <LetterForm record={record} onDone={() => setChosen(null)} />
          </Suspense>
        )}
        {open !== undefined && (
          <Suspense fallback={<SkeletonRows rows={3} />}>
            <ActivityForm
              key={open.key}
              record={record}
              kind={open.key}
              object={open.object}
              onDone={() => setChosen(null)}
            />
          </Suspense>
        )}
      </section>
      <WaitingPlace only={(item) => item.kind === 'create' && item.about?.id === record.id} />
    </>
  );
}
