import { IconKeyboard, IconLogout, IconRowInsertBottom, IconUserCircle } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useSignOut, waitingStore } from '@/api';
import { loadWords, useTranslation } from '@/i18n';
import { useStore } from '@/lib/store';
import { useSession } from '@/metadata';
import { appearanceStore, densityStore, setAppearance, setDensity } from '@/theme/appearance';
import { Avatar, confirm, Menu } from '@/ui';
import css from './frame.module.css';
import { openShortcutHelp } from './overlays';
import { APPEARANCE_ICONS } from './preferences';
import { forgetRecent } from './recent';

/** The person at the lower left: profile, look, shortcuts, sign-out. */
export function AccountMenu() {
  const { t } = useTranslation('shell');
  const { user, workspace } = useSession();
  const navigate = useNavigate();
  const signOut = useSignOut();
  const choice = useStore(appearanceStore);
  const compact = useStore(densityStore) === 'compact';
  const name = user.name || user.email;
  const leave = async () => {
    const count = waitingStore.get().length;
    if (count > 0) {
      await loadWords('offline');
      const sure = await confirm({
        title: t('offline:signOut.title', { count }),
        text: t('offline:signOut.text'),
        confirm: t('offline:signOut.confirm'),
        danger: true,
      });
      if (!sure) return;
    }
    forgetRecent();
    signOut.mutate(undefined, { onSettled: () => navigate({ to: '/sign-in' }) });
  };
  return (
    <Menu
      startOpen
      position="top-start"
      width={230}
      target={
        <button type="button" className={css.account} title={`${name} \u00b7 ${workspace.name}`}>
          <Avatar name={name} size={22} shape="round" />
          <span className="truncate">{name}</span>
        </button>
      }
      entries={[
        { heading: `${user.email} \u00b7 ${workspace.name}` },
        {
          label: t('shell:account.profile'),
          icon: <IconUserCircle size={16} />,
          onSelect: () => navigate({ to: '/settings/profile' }),
        },
        {
          label: t('shell:account.shortcuts'),
          icon: <IconKeyboard size={16} />,
          hint: '?',
          onSelect: openShortcutHelp,
        },
        { divider: true },
        ...(['light', 'dark', 'auto'] as const).map((key) => {
          const Sign = APPEARANCE_ICONS[key];
          return {
            label: t(`shell:theme.${key}`),
            icon: <Sign size={16} />,
            checked: choice === key,
            keepOpen: true,
            onSelect: () => setAppearance(key),
          };
        }),
        {
          label: t('shell:account.compact'),
          icon: <IconRowInsertBottom size={16} />,
          checked: compact,
          keepOpen: true,
          onSelect: () => setDensity(compact ? 'normal' : 'compact'),
        },
        { divider: true },
        { label: t('shell:account.signOut'), icon: <IconLogout size={16} />, onSelect: () => void leave() },
      ]}
    />
  );
}
