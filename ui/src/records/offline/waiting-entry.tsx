import { lazy, Suspense, useState } from 'react';
import { isActivity, isUntried, type Waiting } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Button, confirm } from '@/ui';
import { ACTIVITY_SIGNS } from '../work/signs';
import css from './offline.module.css';
import { useWaitingText } from './waiting-text';

const ConflictDialog = lazy(() =>
  import('../edit/conflict-dialog').then((module) => ({ default: module.ConflictDialog })),
);
const WaitingEdit = lazy(() => import('./waiting-edit').then((module) => ({ default: module.WaitingEdit })));

const later = () => import('@/api/offline');
/** Changes what waits, and sends if there is a connection. */
const act = async (run: (api: Awaited<ReturnType<typeof later>>) => Promise<void>) => {
  const offline = await later();
  await run(offline);
  await offline.sendWaiting();
};

/** One thing that waits: what it is, how it stands, and what can be done with it. */
export function WaitingEntry({ item }: { item: Waiting }) {
  const { t } = useTranslation(['offline', 'records']);
  const fmt = useFormat();
  const text = useWaitingText();
  const [open, setOpen] = useState<'edit' | 'conflict' | null>(null);
  const object = text.objectOf(item);
  const Sign = isActivity(item.object) ? ACTIVITY_SIGNS[item.object] : ACTIVITY_SIGNS.note;
  const why = text.why(item);
  const editable = item.kind !== 'file' && isUntried(item) && (item.state === 'waiting' || item.state === 'refused');
  const discard = async () => {
    const sure = await confirm({
      title: t('offline:discardTitle'),
      text: t(isUntried(item) ? 'offline:discardText' : 'offline:discardTried'),
      confirm: t('offline:discard'),
      danger: true,
    });
    if (sure) await act((offline) => offline.discard(item));
  };
  const close = () => setOpen(null);
  return (
    <li className={css.entry} data-state={item.state}>
      <Sign size={16} stroke={1.7} className={css.sign} aria-hidden />
      <div className={css.text}>
        <div className={css.name}>{text.name(item)}</div>
        <div className={css.meta}>
          <span className={css.state}>{text.state(item)}</span>
          {item.about !== null && <span>{t('offline:about', { name: item.about.title })}</span>}
          <time dateTime={item.at}>{fmt.relative(item.at)}</time>
        </div>
        {why !== '' && <p className={css.why}>{why}</p>}
        {item.errors.length > 0 && (
          <ul className={css.errors}>
            {item.errors.map((error) => (
              <li key={`${error.location}${error.code}`}>{error.message}</li>
            ))}
          </ul>
        )}
        <div className={css.actions}>
          {item.state === 'conflict' && (
            <Button kind="primary" onClick={() => setOpen('conflict')}>
              {t('offline:solve')}
            </Button>
          )}
          {item.state === 'unsure' && (
            <Button onClick={() => void act((offline) => offline.sendAgain(item))}>{t('offline:again')}</Button>
          )}
          {editable && <Button onClick={() => setOpen('edit')}>{t('offline:edit')}</Button>}
          {item.kind === 'file' && item.state === 'refused' && (
            <Button onClick={() => void act((offline) => offline.sendAgain(item))}>{t('offline:again')}</Button>
          )}
          <Button kind="danger-subtle" onClick={() => void discard()}>
            {t('offline:discard')}
          </Button>
        </div>
      </div>
      <Suspense>
        {open === 'conflict' && item.current !== null && object !== undefined && (
          <ConflictDialog
            object={object}
            theirs={item.current}
            mine={item.fields}
            onKeepTheirs={() => {
              close();
              void act((offline) => offline.discard(item));
            }}
            onTakeMine={() => {
              close();
              void act((offline) => offline.takeMine(item));
            }}
          />
        )}
        {open === 'edit' && object !== undefined && (
          <WaitingEdit
            item={item}
            object={object}
            onClose={close}
            onSave={(fields, write, title) => {
              close();
              void act((offline) => offline.rewrite(item, fields, write, title));
            }}
          />
        )}
      </Suspense>
    </li>
  );
}
