import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Outlet, useLocation, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { activeJobsQuery, connectionStore, listenForChanges, wantedApproval, watchedJobs } from '@/api';
import { FormatProvider, loadWords, useTranslation } from '@/i18n';
import { useIsPhone } from '@/lib/hooks';
import { lazyPart } from '@/lib/lazy-part';
import { useStore } from '@/lib/store';
import { useSession } from '@/metadata';
import css from './frame.module.css';
import { ALL_ENTRIES } from './nav';
import { openPalette, openShortcutHelp, overlayStore } from './overlays';
import { PeekPanel } from './peek-panel';
import { PhoneBar } from './phone-bar';
import { ReLogin } from './relogin';
import { useShortcutListener, useShortcuts } from './shortcuts';
import { Sidebar } from './sidebar';

const fetchPalette = async () => {
  const [module] = await Promise.all([import('./palette/palette'), loadWords('palette')]);
  return { default: module.Palette };
};
const Palette = lazy(fetchPalette);
const JobTray = lazy(async () => {
  const [module] = await Promise.all([import('./job-tray'), loadWords('jobs')]);
  return { default: module.JobTray };
});
const OfflineBanner = lazyPart(() => import('./offline-banner').then((module) => module.OfflineBanner));
const ApprovalDialog = lazy(async () => {
  const [module] = await Promise.all([import('@/records/approval/request-dialog'), loadWords('approvals')]);
  return { default: module.RequestDialog };
});
const ShortcutHelp = lazy(() => import('./shortcut-help').then((module) => ({ default: module.ShortcutHelp })));

function useFrameShortcuts() {
  const { t } = useTranslation('shell');
  const navigate = useNavigate();
  useShortcutListener();
  // The palette is on its way before the second key of its shortcut is down.
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Control' || event.key === 'Meta') void fetchPalette();
    };
    window.addEventListener('keydown', onKey, { once: true });
    return () => window.removeEventListener('keydown', onKey);
  }, []);
  useShortcuts([
    {
      keys: 'mod+k',
      label: t('shell:palette.open'),
      group: t('shell:shortcuts.general'),
      run: openPalette,
      whileTyping: true,
    },
    { keys: '/', label: t('shell:palette.open'), group: t('shell:shortcuts.general'), run: openPalette },
    { keys: '?', label: t('shell:shortcuts.title'), group: t('shell:shortcuts.general'), run: openShortcutHelp },
    ...ALL_ENTRIES.filter((entry) => entry.go !== undefined).map((entry) => ({
      keys: `g ${entry.go}`,
      label: t(`shell:nav.${entry.key}`) as string,
      group: t('shell:shortcuts.go'),
      run: () => {
        navigate({ to: entry.to });
      },
    })),
  ]);
}

/** A new page: focus goes to the content, and a screen reader hears its title. */
function useFocusOnNavigation() {
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const first = useRef(pathname);
  useEffect(() => {
    if (first.current === pathname) return;
    first.current = pathname;
    if (document.activeElement === document.body || document.activeElement?.closest('nav') !== null)
      main.current?.focus({ preventScroll: true });
  }, [pathname]);
  return main;
}

/** The tray of jobs is fetched with the first job that goes on, or whose end is still to be told. */
function useHasJobs(): boolean {
  const active = useQuery({ ...activeJobsQuery(), retry: false });
  return useStore(watchedJobs).length > 0 || (active.data?.items.length ?? 0) > 0;
}

function Overlays() {
  const overlay = useStore(overlayStore);
  const jobs = useHasJobs();
  const wanted = useStore(wantedApproval);
  return (
    <>
      <Suspense>{overlay === 'palette' && <Palette />}</Suspense>
      <Suspense>{overlay === 'shortcuts' && <ShortcutHelp />}</Suspense>
      <Suspense>{jobs && <JobTray />}</Suspense>
      <Suspense>{wanted !== null && <ApprovalDialog proposal={wanted} />}</Suspense>
      <ReLogin />
    </>
  );
}

/** The first page comes first: work without a connection is prepared with the first press or key, or when nothing happens for a while. */
const REST = 10_000;
const SIGNS = ['pointerdown', 'keydown', 'offline'] as const;

/** Whether somebody has begun to use the page, or there is no connection. */
function useBegun(): boolean {
  const [signed, setBegun] = useState(!navigator.onLine);
  const begun = !useStore(connectionStore).online || signed;
  useEffect(() => {
    if (begun) return;
    const ending = new AbortController();
    const begin = () => setBegun(true);
    const timer = setTimeout(begin, REST);
    for (const sign of SIGNS) addEventListener(sign, begin, { once: true, passive: true, signal: ending.signal });
    return () => {
      ending.abort();
      clearTimeout(timer);
    };
  }, [begun]);
  return begun;
}

/** Everything around a page once somebody has signed in. */
export function AppFrame() {
  const { t } = useTranslation('shell');
  const { workspace } = useSession();
  const client = useQueryClient();
  const phone = useIsPhone();
  const main = useFocusOnNavigation();
  const begun = useBegun();
  useFrameShortcuts();
  useEffect(() => listenForChanges(client), [client]);
  return (
    <FormatProvider timeZone={workspace.timezone} currency={workspace.currency}>
      <div className={css.frame}>
        <a className={css.skip} href="#main">
          {t('shell:skip')}
        </a>
        {!phone && <Sidebar />}
        <div className={css.content}>
          <Suspense>{begun && <OfflineBanner />}</Suspense>
          <div className={css.columns}>
            <main ref={main} id="main" className={css.main} tabIndex={-1}>
              <Outlet />
            </main>
            <PeekPanel />
          </div>
        </div>
        {phone && <PhoneBar />}
        <Overlays />
      </div>
    </FormatProvider>
  );
}
