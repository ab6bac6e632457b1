import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import type { Capability } from '@/api';
import { useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { useCan } from '@/metadata';
import { SETTINGS_PAGES, type SettingsPage } from '@/shell';
import { Page } from '@/ui';
import css from './settings.module.css';

const NEEDS: Partial<Record<SettingsPage, Capability>> = {
  users: 'user.manage',
  sso: 'user.manage',
  org: 'user.manage',
  roles: 'role.manage',
  apikeys: 'apikey.manage',
  webhooks: 'webhook.manage',
  sources: 'source.manage',
  mail: 'mail.manage',
  channels: 'mail.manage',
  approvals: 'schema.manage',
  automations: 'automation.manage',
  config: 'schema.manage',
  traits: 'segment.read',
  consent: 'consent.read',
  privacy: 'privacy.manage',
  identity: 'duplicate.manage',
  audit: 'audit.read',
  signins: 'audit.read',
};

/** The list of settings at the left, the chosen page beside it. */
export function SettingsLayout() {
  const { t } = useTranslation('settings');
  const { pathname } = useLocation();
  const can = useCan();
  const nav = useRef<HTMLElement>(null);
  // On a phone the list scrolls sideways: the chosen page must not hide beyond its edge.
  useEffect(() => {
    const chosen = nav.current?.querySelector(`[href$="${pathname.split('/').slice(0, 3).join('/')}"]`);
    chosen?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [pathname]);
  const pages = SETTINGS_PAGES.filter((page) => {
    const needed = NEEDS[page];
    return needed === undefined || can(needed);
  });
  return (
    <Page title={t('settings:title')} layout="fill">
      <div className={css.columns}>
        <nav ref={nav} className={css.nav} aria-label={t('settings:title')}>
          {pages.map((page) => {
            const active = pathname.startsWith(`/settings/${page}`);
            return (
              <Link
                key={page}
                to={`/settings/${page}`}
                className={cx(css.entry, active && css.active)}
                {...(active && { 'aria-current': 'page' as const })}
              >
                {t(`settings:page.${page}`)}
              </Link>
            );
          })}
        </nav>
        <div className={css.content}>
          <Outlet />
        </div>
      </div>
    </Page>
  );
}
