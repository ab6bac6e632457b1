import { IconCalendarShare } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { calendarQuery, endCalendar, errorText, makeCalendar } from '@/api';
import { useTranslation } from '@/i18n';
import { Button, IconButton, Modal, TextInput, toast } from '@/ui';
import css from './day.module.css';

/** The secret address by which other calendars show my tasks and meetings. */
export function CalendarFeed() {
  const { t } = useTranslation(['work', 'common', 'mine']);
  const client = useQueryClient();
  const [opened, setOpened] = useState(false);
  const [url, setUrl] = useState('');
  const state = useQuery({ ...calendarQuery(), enabled: opened });
  const active = state.data?.active === true;
  const run = async (work: () => Promise<string>) => {
    try {
      setUrl(await work());
      await client.invalidateQueries({ queryKey: calendarQuery().queryKey });
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    }
  };
  const kept = active ? 'mine:feed.active' : 'mine:feed.none';
  const make = () => run(async () => (await makeCalendar()).url ?? '');
  const end = () =>
    run(async () => {
      await endCalendar();
      toast.ok(t('mine:feed.ended'));
      return '';
    });
  const copy = async () => {
    await navigator.clipboard.writeText(url);
    toast.ok(t('common:copied'));
  };
  return (
    <>
      <IconButton
        label={t('mine:feed.title')}
        icon={<IconCalendarShare size={17} />}
        aria-haspopup="dialog"
        onClick={() => setOpened(true)}
      />
      <Modal
        opened={opened}
        onClose={() => {
          setOpened(false);
          setUrl('');
        }}
        title={t('mine:feed.title')}
        footer={
          <>
            {active && (
              <Button kind="danger-subtle" onClick={() => void end()}>
                {t('mine:feed.end')}
              </Button>
            )}
            <Button kind="primary" onClick={() => void make()}>
              {t(active ? 'mine:feed.again' : 'mine:feed.make')}
            </Button>
          </>
        }
      >
        <div className="stack">
          <p>{t('mine:feed.text')}</p>
          {url !== '' && (
            <div className={css.quickLine}>
              <div className="grow">
                <TextInput aria-label={t('mine:feed.address')} value={url} readOnly onChange={() => undefined} />
              </div>
              <Button onClick={() => void copy()}>{t('common:copy')}</Button>
            </div>
          )}
          <p className="muted">{t(url === '' ? kept : 'mine:feed.once')}</p>
        </div>
      </Modal>
    </>
  );
}
