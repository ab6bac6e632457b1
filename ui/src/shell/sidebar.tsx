import { IconSearch } from '@tabler/icons-react';
import { Link, useLocation } from '@tanstack/react-router';
import { useLabel, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { findObject, useCan, useObjectsIfLoaded, useSession } from '@/metadata';
import { Kbd, ObjectIcon } from '@/ui';
import { Account } from './account';
import { ApprovalCount } from './approval-count';
import { Bell } from './bell';
import css from './frame.module.css';
import { Logo } from './logo';
import { isActive, type NavEntry, navGroups, visibleEntries } from './nav';
import { openPalette } from './overlays';
import { LanguageToggle, ThemeToggle } from './preferences';

/** The entries alone: in the sidebar, and in the drawer of a phone. */
export function NavList({ onGo }: { onGo?: () => void }) {
  const { t } = useTranslation('shell');
  const { pathname } = useLocation();
  const label = useLabel();
  const objects = useObjectsIfLoaded();
  const can = useCan();
  const groups = navGroups(objects).filter((group) => visibleEntries(group.entries, objects, can).length > 0);
  // A workspace may call its customers members: a list is called what its object is called.
  const nameOf = (entry: NavEntry) =>
    label(entry.label ?? findObject(objects, entry.object)?.plural, t(`shell:nav.${entry.key}`));
  return (
    <nav className={css.nav} aria-label={t('shell:navLabel')}>
      {groups.map((group, at) => (
        <div key={group.key ?? at} className={css.navGroup}>
          {group.key !== null && <div className={css.navHeading}>{t(`shell:group.${group.key}`)}</div>}
          {visibleEntries(group.entries, objects, can).map((entry) => {
            const active = isActive(entry, pathname);
            return (
              <Link
                key={entry.key}
                to={entry.to}
                className={cx(css.navEntry, active && css.navActive)}
                {...(active && { 'aria-current': 'page' as const })}
                onClick={() => onGo?.()}
              >
                {entry.iconName === undefined ? (
                  <entry.icon size={16} stroke={1.6} aria-hidden />
                ) : (
                  <ObjectIcon name={entry.iconName} />
                )}
                <span className="truncate grow">{nameOf(entry)}</span>
                {entry.key === 'approvals' && <ApprovalCount />}
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
        <Bell />
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
