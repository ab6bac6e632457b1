import { IconSend, IconSun } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { connectionStore, keptOwner, waitingStore } from '@/api';
import { labelText, useFormat, useLanguage, useTranslation } from '@/i18n';
import { useStore } from '@/lib/store';
import { findObject, useObjects } from '@/metadata';
import { Button, Drawer } from '@/ui';
import { closeOutbox, outboxOpen } from './drawer-store';
import css from './offline.module.css';
import { WaitingEntry } from './waiting-entry';

const SHOWN = 60;

function Readable() {
  const { t } = useTranslation('offline');
  const fmt = useFormat();
  const language = useLanguage();
  const objects = useObjects();
  const { data } = useQuery({
    queryKey: ['offline', 'readable'],
    queryFn: async () => (await import('@/api/offline')).readableRecords(keptOwner()),
    staleTime: 0,
  });
  const records = (data ?? []).slice(0, SHOWN);
  return (
    <section>
      <h3 className={css.heading}>{t('offline:drawer.readable')}</h3>
      <ul className={css.list}>
        <li>
          <Link to="/day" className={css.link} onClick={closeOutbox}>
            <IconSun size={16} stroke={1.7} aria-hidden />
            <span className="grow truncate">{t('offline:drawer.day')}</span>
          </Link>
        </li>
        {records.map((record) => (
          <li key={record.id}>
            <Link
              to="/o/$object/$id"
              params={{ object: record.object, id: record.id }}
              className={css.link}
              onClick={closeOutbox}
            >
              <span className="grow truncate">{record.title}</span>
              <span className={css.aside}>
                {labelText(findObject(objects, record.object)?.label, language, record.object)}
                {' \u00b7 '}
                {t('offline:drawer.seen', { when: fmt.relative(new Date(record.at).toISOString()) })}
              </span>
            </Link>
          </li>
        ))}
      </ul>
      {data !== undefined && records.length === 0 && <p className="muted">{t('offline:drawer.readableNone')}</p>}
    </section>
  );
}

/** What waits to be sent, and what can be read without a connection. */
export function OutboxDrawer() {
  const { t } = useTranslation('offline');
  const opened = useStore(outboxOpen);
  const items = useStore(waitingStore);
  const { online } = useStore(connectionStore);
  return (
    <Drawer opened={opened} onClose={closeOutbox} title={t('offline:drawer.title')} size={460}>
      <div className="stack">
        <section aria-label={t('offline:drawer.waiting')}>
          <div className={css.head}>
            <h3 className={css.heading}>{t('offline:drawer.waiting')}</h3>
            {online && items.some((item) => item.state === 'waiting') && (
              <Button
                icon={<IconSend size={15} />}
                onClick={() => void import('@/api/offline').then(({ sendWaiting }) => sendWaiting())}
              >
                {t('offline:drawer.send')}
              </Button>
            )}
          </div>
          {items.length === 0 && <p className="muted">{t('offline:drawer.nothing')}</p>}
          <ul className={css.list}>
            {items.map((item) => (
              <WaitingEntry key={item.id} item={item} />
            ))}
          </ul>
        </section>
        <Readable />
        <p className={css.hint}>{t('offline:drawer.hint')}</p>
      </div>
    </Drawer>
  );
}
