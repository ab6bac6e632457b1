import { IconBuildingStore, IconDatabaseImport, IconPlus } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { DemoState } from '@/api';
import { useTranslation } from '@/i18n';
import { findObject, useCan, useObjects } from '@/metadata';
import { ButtonLink, EmptyState, Panel } from '@/ui';
import { DemoOffer } from './demo-offer';
import css from './empty-home.module.css';

interface WayProps {
  icon: ReactNode;
  title: string;
  text: string;
  children: ReactNode;
}
function Way({ icon, title, text, children }: WayProps) {
  return (
    <section className={css.way} aria-label={title}>
      <span className={css.sign}>{icon}</span>
      <h3 className={css.wayTitle}>{title}</h3>
      <p className={css.wayText}>{text}</p>
      <div className={css.wayActs}>{children}</div>
    </section>
  );
}

/** A workspace without customers and orders: the ways to begin that this person has. */
export function EmptyHome({ demo }: { demo: DemoState | undefined }) {
  const { t } = useTranslation('home');
  const can = useCan();
  const customer = findObject(useObjects(), 'customer');
  const mayImport = can('import.run');
  const mayCreate = customer?.actions.create === true;
  const mayLoad = can('system.manage');
  if (!mayImport && !mayCreate && !mayLoad)
    return (
      <Panel>
        <EmptyState cause="none" title={t('home:empty.title')} text={t('home:empty.ask')} />
      </Panel>
    );
  return (
    <div className={css.begin}>
      <h2 className={css.title}>{t('home:empty.title')}</h2>
      <p className={css.lead}>{t('home:empty.text')}</p>
      <div className={css.ways}>
        {mayImport && (
          <Way
            icon={<IconDatabaseImport size={20} stroke={1.5} />}
            title={t('home:empty.import')}
            text={t('home:empty.importText')}
          >
            <ButtonLink to="/imports/new" kind="primary">
              {t('home:empty.import')}
            </ButtonLink>
          </Way>
        )}
        {mayLoad && (
          <Way
            icon={<IconBuildingStore size={20} stroke={1.5} />}
            title={t('home:empty.demo')}
            text={t('home:empty.demoText')}
          >
            <DemoOffer state={demo} />
          </Way>
        )}
      </div>
      {mayCreate && (
        <p className={css.or}>
          {t('home:empty.or')}
          <ButtonLink
            to="/o/$object"
            params={{ object: 'customer' }}
            search={{ new: true }}
            kind="subtle"
            icon={<IconPlus size={15} />}
          >
            {t('home:empty.create')}
          </ButtonLink>
        </p>
      )}
    </div>
  );
}
