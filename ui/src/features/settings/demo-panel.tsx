import { IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { demoQuery, errorText, isDemoBusy, useRemoveDemo } from '@/api';
import { useTranslation } from '@/i18n';
import { useSession } from '@/metadata';
import { Button, Modal, Panel, Progress, TextInput } from '@/ui';
import css from './settings.module.css';

/** The demo company can be removed with everything it brought, once its administrator has typed where. */
export function DemoPanel() {
  const { t } = useTranslation(['settings', 'common']);
  const { workspace } = useSession();
  const { data } = useQuery({ ...demoQuery(), retry: false });
  const [asking, setAsking] = useState(false);
  const [typed, setTyped] = useState('');
  const remove = useRemoveDemo();
  if (data === undefined || !(data.removable || isDemoBusy(data))) return null;
  const close = () => {
    setAsking(false);
    setTyped('');
    remove.reset();
  };
  return (
    <Panel title={t('settings:demo.title')}>
      {isDemoBusy(data) ? (
        <div role="status">
          <p>{data.phase === 'removing' ? t('settings:demo.removing') : t('settings:demo.busy')}</p>
          <Progress value={null} label={t('settings:demo.busy')} />
          {data.phase === 'removing' && data.records > 0 && (
            <p className="muted">{t('settings:demo.progress', { count: data.records })}</p>
          )}
        </div>
      ) : (
        <div className={css.after}>
          <Button kind="danger-subtle" icon={<IconTrash size={15} />} onClick={() => setAsking(true)}>
            {t('settings:demo.remove')}
          </Button>
          <span className="muted">{t('settings:demo.text')}</span>
        </div>
      )}
      {asking && (
        <Modal
          opened
          onClose={close}
          title={t('settings:demo.dialog')}
          size={460}
          footer={
            <>
              <Button onClick={close}>{t('common:cancel')}</Button>
              <Button
                kind="danger"
                loading={remove.isPending}
                disabled={typed.trim() !== workspace.name}
                onClick={() => remove.mutate(typed, { onSuccess: close })}
              >
                {t('settings:demo.apply')}
              </Button>
            </>
          }
        >
          <div className="stack">
            <p>{t('settings:demo.warn')}</p>
            <TextInput
              label={t('settings:demo.type', { name: workspace.name })}
              value={typed}
              onChange={setTyped}
              size="lg"
              autoFocus
              {...(remove.isError && { error: errorText(remove.error) })}
            />
          </div>
        </Modal>
      )}
    </Panel>
  );
}
