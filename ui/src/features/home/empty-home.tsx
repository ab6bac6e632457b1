import { IconCopy, IconDatabaseImport, IconFlask, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from '@/i18n';
import { copyText } from '@/lib/clipboard';
import { findObject, useCan, useObjects } from '@/metadata';
import { Button, ButtonLink, EmptyState, IconButton, Modal, Panel, toast } from '@/ui';
import css from './home.module.css';

const COMMAND = 'guanxi demo load';

function DemoHelp({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation(['home', 'common']);
  const copy = async () => {
    if (await copyText(COMMAND)) toast.ok(t('common:copied'));
  };
  return (
    <Modal opened={opened} onClose={onClose} title={t('home:demo.title')}>
      <p>{t('home:demo.text')}</p>
      <div className={css.command}>
        <code>{COMMAND}</code>
        <IconButton label={t('common:copy')} icon={<IconCopy size={16} />} onClick={copy} />
      </div>
      <p className="muted">{t('home:demo.note')}</p>
    </Modal>
  );
}

/** A workspace without customers and orders: three ways to begin. */
export function EmptyHome() {
  const { t } = useTranslation('home');
  const can = useCan();
  const customer = findObject(useObjects(), 'customer');
  const [help, setHelp] = useState(false);
  return (
    <Panel>
      <EmptyState
        cause="none"
        title={t('home:empty.title')}
        text={t('home:empty.text')}
        actions={
          <>
            {can('import.run') && (
              <ButtonLink to="/imports/new" kind="primary" icon={<IconDatabaseImport size={15} />}>
                {t('home:empty.import')}
              </ButtonLink>
            )}
            <Button icon={<IconFlask size={15} />} onClick={() => setHelp(true)}>
              {t('home:empty.demo')}
            </Button>
            {customer?.actions.create && (
              <ButtonLink
                to="/o/$object"
                params={{ object: 'customer' }}
                search={{ new: true }}
                icon={<IconPlus size={15} />}
              >
                {t('home:empty.create')}
              </ButtonLink>
            )}
          </>
        }
      />
      <DemoHelp opened={help} onClose={() => setHelp(false)} />
    </Panel>
  );
}
