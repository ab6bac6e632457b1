import { IconMenu2, IconSearch } from '@tabler/icons-react';
import { Link, useLocation } from '@tanstack/react-router';
import { useLabel, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { useStore } from '@/lib/store';
import { findObject, useCan, useObjectsIfLoaded, useSession } from '@/metadata';
import { Drawer } from '@/ui';
import { Account } from './account';
import { ApprovalCount } from './approval-count';
import { Bell } from './bell';
import css from './frame.module.css';
import { isActive, phoneEntries } from './nav';
import { closeOverlay, openNav, openPalette, overlayStore } from './overlays';
import { LanguageToggle, ThemeToggle } from './preferences';
import { NavList } from './sidebar';

/** The bar at the lower edge of a phone; everything else is behind "more". */
export function PhoneBar() {
  const { t } = useTranslation('shell');
  const { pathname } = useLocation();
  const { workspace } = useSession();
  const label = useLabel();
  const objects = useObjectsIfLoaded();
  const entries = phoneEntries(objects, useCan());
  const opened = useStore(overlayStore) === 'nav';
  return (
    <>
      <nav className={css.phoneBar} aria-label={t('shell:navLabel')}>
        {entries.map((entry) => {
          const active = isActive(entry, pathname);
          return (
            <Link
              key={entry.key}
              to={entry.to}
              className={cx(css.phoneEntry, active && css.phoneActive)}
              {...(active && { 'aria-current': 'page' as const })}
            >
              <entry.icon size={22} stroke={1.5} aria-hidden />
              <span className="truncate">
                {label(findObject(objects, entry.object)?.plural, t(`shell:nav.${entry.key}`))}
              </span>
            </Link>
          );
        })}
        <button
          type="button"
          className={css.phoneEntry}
          onClick={openNav}
          aria-haspopup="dialog"
          aria-expanded={opened}
        >
          <IconMenu2 size={22} stroke={1.5} aria-hidden />
          {t('shell:more')}
          <ApprovalCount />
        </button>
      </nav>
      <Drawer opened={opened} onClose={closeOverlay} title={workspace.name} side="left" size={290}>
        <div className={css.brand}>
          <Bell />
        </div>
        <button type="button" className={css.searchBox} onClick={openPalette}>
          <IconSearch size={15} aria-hidden />
          <span className="grow truncate">{t('shell:palette.open')}</span>
        </button>
        <NavList onGo={closeOverlay} />
        <div className={css.sideFoot}>
          <Account />
          <div className={css.toggles}>
            <LanguageToggle />
            <span className="grow" />
            <ThemeToggle />
          </div>
        </div>
      </Drawer>
    </>
  );
}
