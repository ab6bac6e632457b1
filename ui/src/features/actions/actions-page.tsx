import { IconAdjustments, IconPlus } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, ButtonLink, Closed, Page, Tabs } from '@/ui';
import { PlayDrawer } from './play-drawer';
import { PlayTable } from './plays';
import { WorkList } from './work';

/** What to do next for customers: the work of today, and the plays with what came of them. */
export function ActionsPage() {
  const { t } = useTranslation('actions');
  const can = useCan();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as { tab?: string; play?: string; mine?: string };
  const [making, setMaking] = useState(false);
  const allowed = can('segment.read');
  const tab = search.tab === 'plays' ? 'plays' : 'work';
  const go = (next: typeof search) => navigate({ to: '/actions', search: next, replace: true });
  return (
    <Page
      title={t('actions:title')}
      actions={
        allowed && (
          <>
            <ButtonLink to="/models/$key" params={{ key: 'action' }} icon={<IconAdjustments size={16} />}>
              {t('actions:settings')}
            </ButtonLink>
            {can('classification.write') && (
              <Button kind="primary" icon={<IconPlus size={16} />} onClick={() => setMaking(true)}>
                {t('actions:new')}
              </Button>
            )}
          </>
        )
      }
    >
      {allowed ? (
        <Tabs
          label={t('actions:title')}
          value={tab}
          onChange={(next) => go(next === 'plays' ? { tab: 'plays' } : {})}
          items={[
            {
              value: 'work',
              label: t('actions:tabs.work'),
              content: (
                <WorkList
                  play={search.play ?? ''}
                  mine={search.mine === '1'}
                  onAsk={(play, mine) => go({ ...(play !== '' && { play }), ...(mine && { mine: '1' }) })}
                />
              ),
            },
            {
              value: 'plays',
              label: t('actions:tabs.plays'),
              content: (
                <PlayTable
                  open={search.play ?? ''}
                  onOpen={(play) => go({ tab: 'plays', ...(play !== '' && { play }) })}
                />
              ),
            },
          ]}
        />
      ) : (
        <Closed cause="no_permission" />
      )}
      {making && <PlayDrawer play={null} onClose={() => setMaking(false)} />}
    </Page>
  );
}
