import { IconSearch } from '@tabler/icons-react';
import { Link, useLocation } from '@tanstack/react-router';
import { useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { useObjectsIfLoaded, useSession } from '@/metadata';
import { Kbd } from '@/ui';
import { Account } from './account';
import css from './frame.module.css';
import { Logo } from './logo';
import { isActive, NAV, visibleEntries } from './nav';
import { openPalette } from './overlays';
import { LanguageToggle, ThemeToggle } from './preferences';

/** The entries alone: in the sidebar, and in the drawer of a phone. */
export function NavList({ onGo }: { onGo?: () => void }) {
  const { t } = useTranslation('shell');
  const { pathname } = useLocation();
  const objects = useObjectsIfLoaded();
  return (
    <nav className={css.nav} aria-label={t('shell:navLabel')}>
      {NAV.map((group, at) => (
        <div key={group.key ?? at} className={css.navGroup}>
          {group.key !== null && <div className={css.navHeading}>{t(`shell:group.${group.key}`)}</div>}
          {visibleEntries(group.entries, objects).map((entry) => {
            const active = isActive(entry, pathname);
            return (
              <Link
                key={entry.key}
                to={entry.to}
                className={cx(css.navEntry, active && css.navActive)}
                {...(active && { 'aria-current': 'page' as const })}
                onClick={() => onGo?.()}
              >
                <entry.icon size={16} stroke={1.6} aria-hidden />
                <span className="truncate">{t(`shell:nav.${entry.key}`)}</span>
              </Link>
            );
          })}
        </div>
      ))}
    </nav>
  );
}

export function Sidebar() {
  const { t } = useTranslation('shell');
  const { workspace } = useSession();
  return (
    <div className={css.sidebar}>
      <div className={css.brand}>
        <Logo />
        <span className="truncate">{workspace.name}</span>
      </div>
      <button type="button" className={css.searchBox} onClick={openPalette} aria-haspopup="dialog">
        <IconSearch size={15} aria-hidden />
        <span className="grow truncate">{t('shell:palette.open')}</span>
        <Kbd keys="mod+k" />
      </button>
      <div className={css.navScroll}>
        <NavList />
      </div>
      <div className={css.sideFoot}>
        <Account />
        <div className={css.toggles}>
          <LanguageToggle />
          <span className="grow" />
          <ThemeToggle />
        </div>
      </div>
    </div>
  );
}
