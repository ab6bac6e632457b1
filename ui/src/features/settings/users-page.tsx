import {
  IconDeviceMobileOff,
  IconDots,
  IconLogout,
  IconMailForward,
  IconPencil,
  IconPlus,
  IconTransfer,
  IconUserCheck,
  IconUserOff,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { rolesQuery, type User, useHelpUser, useInviteAgain, usersQuery, useSaveUser, viewOwnersQuery } from '@/api';
import { loadWords, useFormat, useLabel, useTranslation } from '@/i18n';
import { useCan, useSession } from '@/metadata';
import {
  Avatar,
  Button,
  confirm,
  EmptyState,
  ErrorState,
  IconButton,
  Menu,
  Panel,
  Pill,
  prose,
  SkeletonRows,
  Table,
  toast,
} from '@/ui';
import { SecurityRules } from './security-rules';
import css from './settings.module.css';
import { UserDialog } from './user-dialog';

const LeaveDialog = lazy(async () => {
  const [module] = await Promise.all([import('./user-leave-dialog'), loadWords('sharing')]);
  return { default: module.UserLeaveDialog };
});

function useDisable() {
  const { t } = useTranslation(['settings', 'common']);
  const save = useSaveUser();
  return async (user: User) => {
    const name = user.name || user.email;
    if (!user.disabled) {
      const sure = await confirm({
        title: t('settings:users.disableTitle', { name }),
        text: t('settings:users.disableText'),
        confirm: t('settings:users.disable'),
        danger: true,
      });
      if (!sure) return;
    }
    save.mutate(
      { id: user.id, change: { disabled: !user.disabled } },
      {
        onSuccess: () => toast.ok(t('common:saved')),
        onError: (error) => toast.error(t('common:failed.save'), { detail: error.message }),
      },
    );
  };
}

/** What an administrator does for a person who lost a phone or a computer. */
function useHelp() {
  const { t } = useTranslation(['settings', 'common']);
  const help = useHelpUser();
  return async (user: User, what: 'factor' | 'sessions') => {
    const sure = await confirm({
      title: t(`settings:users.help.${what}Title`, { name: user.name || user.email }),
      text: t(`settings:users.help.${what}Text`),
      confirm: t(`settings:users.help.${what}Confirm`),
      danger: true,
    });
    if (!sure) return;
    help.mutate(
      { id: user.id, what },
      {
        onSuccess: () => toast.ok(t(`settings:users.help.${what}Done`)),
        onError: (error) => toast.error(error.message),
      },
    );
  };
}

export function UsersPage() {
  const { t } = useTranslation(['settings', 'common', 'links', 'sharing']);
  const fmt = useFormat();
  const label = useLabel();
  const can = useCan();
  const me = useSession().user;
  const disable = useDisable();
  const help = useHelp();
  const again = useInviteAgain();
  const [edited, setEdited] = useState<User | 'new' | null>(null);
  const [leaving, setLeaving] = useState<User | null>(null);
  const owners = useQuery({ ...viewOwnersQuery(), enabled: can('user.manage') }).data?.items ?? [];
  const viewsOf = (user: User) => owners.find((each) => each.user === user.id)?.views ?? 0;
  const { data, error, isPending, refetch } = useQuery(usersQuery());
  const roles = useQuery({ ...rolesQuery(), enabled: can('user.manage') }).data?.items ?? [];
  const roleOf = (user: User) => label(roles.find((role) => role.key === user.role)?.name, user.role);
  if (!can('user.manage')) return <EmptyState cause="no_permission" />;
  return (
    <div className="stack">
      <Panel
        flush
        title={t('settings:page.users')}
        aside={
          <Button kind="primary" icon={<IconPlus size={15} />} onClick={() => setEdited('new')}>
            {t('settings:users.add')}
          </Button>
        }
      >
        {isPending && <SkeletonRows rows={4} />}
        {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
        {data !== undefined && (
          <Table
            label={t('settings:page.users')}
            rows={data.items}
            rowKey={(user) => user.id}
            columns={[
              {
                key: 'name',
                label: t('settings:users.name'),
                cell: (user) => (
                  <span className={css.userCell} data-off={user.disabled || undefined}>
                    <Avatar name={user.name || user.email} size={26} shape="round" />
                    <span className={prose.lines}>
                      <span>
                        {user.name || user.email}
                        {user.id === me?.id && <span className="muted"> {t('settings:users.you')}</span>}
                      </span>
                      <span className="muted truncate">{user.email}</span>
                    </span>
                  </span>
                ),
              },
              { key: 'role', label: t('settings:users.role'), cell: roleOf },
              {
                key: 'state',
                label: t('settings:users.state'),
                minor: true,
                cell: (user) => (
                  <Pill color={user.disabled || user.invited ? 'gray' : 'green'}>
                    {user.disabled && t('settings:users.disabled')}
                    {!user.disabled && user.invited && t('links:people.invited')}
                    {!user.disabled && !user.invited && t('settings:users.active')}
                  </Pill>
                ),
              },
              {
                key: 'factor',
                label: t('settings:users.factor'),
                minor: true,
                cell: (user) =>
                  user.second_factor === true ? (
                    <Pill color="green">{t('settings:factor.on')}</Pill>
                  ) : (
                    <span className="muted">{t('settings:factor.off')}</span>
                  ),
              },
              {
                key: 'seen',
                label: t('settings:users.lastSeen'),
                minor: true,
                cell: (user) => (
                  <span className="muted">
                    {user.last_seen_at === null ? t('settings:users.never') : fmt.relative(user.last_seen_at)}
                  </span>
                ),
              },
              {
                key: 'actions',
                label: <span className="sr-only">{t('settings:actions')}</span>,
                width: 44,
                cell: (user) => (
                  <Menu
                    target={
                      <IconButton
                        label={t('settings:actionsOf', { name: user.name || user.email })}
                        icon={<IconDots size={16} />}
                        tooltip={false}
                      />
                    }
                    entries={[
                      {
                        label: t('common:edit'),
                        icon: <IconPencil size={15} />,
                        onSelect: () => setEdited(user),
                      },
                      ...(user.invited && !user.disabled
                        ? [
                            {
                              label: t('links:people.again'),
                              icon: <IconMailForward size={15} />,
                              onSelect: () =>
                                again.mutate(user.id, {
                                  onSuccess: () => toast.ok(t('links:people.sent')),
                                  onError: (failure) => toast.error(failure.message),
                                }),
                            },
                          ]
                        : []),
                      {
                        label: t('settings:users.help.sessions'),
                        icon: <IconLogout size={15} />,
                        disabled: user.id === me?.id,
                        onSelect: () => help(user, 'sessions'),
                      },
                      {
                        label: t('settings:users.help.factor'),
                        icon: <IconDeviceMobileOff size={15} />,
                        disabled: user.id === me?.id || user.second_factor !== true,
                        onSelect: () => help(user, 'factor'),
                      },
                      ...(user.disabled && viewsOf(user) > 0
                        ? [
                            {
                              label: t('sharing:leave.entry'),
                              icon: <IconTransfer size={15} />,
                              onSelect: () => setLeaving(user),
                            },
                          ]
                        : []),
                      {
                        label: user.disabled ? t('settings:users.enable') : t('settings:users.disable'),
                        icon: user.disabled ? <IconUserCheck size={15} /> : <IconUserOff size={15} />,
                        danger: !user.disabled,
                        disabled: user.id === me?.id,
                        onSelect: () => (!user.disabled && viewsOf(user) > 0 ? setLeaving(user) : void disable(user)),
                      },
                    ]}
                  />
                ),
              },
            ]}
          />
        )}
      </Panel>
      {edited !== null && <UserDialog {...(edited !== 'new' && { user: edited })} onClose={() => setEdited(null)} />}
      {leaving !== null && (
        <Suspense>
          <LeaveDialog user={leaving} views={viewsOf(leaving)} onClose={() => setLeaving(null)} />
        </Suspense>
      )}
      <SecurityRules />
    </div>
  );
}
