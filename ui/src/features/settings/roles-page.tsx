import { IconCopy, IconDots, IconEye, IconPencil, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type AccessRole, rolesQuery, useDeleteRole } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import {
  ButtonLink,
  confirm,
  EmptyState,
  ErrorState,
  IconButton,
  Menu,
  type MenuEntry,
  Panel,
  Pill,
  prose,
  SkeletonRows,
  Table,
  toast,
} from '@/ui';
import { ExplainPanel } from './explain-panel';

/** The built-in roles, which are templates, and those made here. */
export function RolesPage() {
  const { t } = useTranslation(['rights', 'settings', 'common']);
  const label = useLabel();
  const can = useCan();
  const navigate = useNavigate();
  const remove = useDeleteRole();
  const roles = useQuery({ ...rolesQuery(), enabled: can('role.manage') });
  if (!can('role.manage')) return <EmptyState cause="no_permission" />;
  const open = (role: AccessRole) => navigate({ to: '/settings/roles/$key', params: { key: role.key } });
  const entries = (role: AccessRole): MenuEntry[] => {
    const name = label(role.name, role.key);
    const out: MenuEntry[] = [
      {
        label: role.builtin ? t('rights:role.look') : t('common:edit'),
        icon: role.builtin ? <IconEye size={15} /> : <IconPencil size={15} />,
        onSelect: () => open(role),
      },
      {
        label: t('rights:role.copy'),
        icon: <IconCopy size={15} />,
        onSelect: () =>
          navigate({ to: '/settings/roles/$key', params: { key: 'new' }, search: { from: role.key } as never }),
      },
    ];
    if (!role.builtin)
      out.push({
        label: t('common:delete'),
        icon: <IconTrash size={15} />,
        danger: true,
        disabled: role.holders > 0,
        onSelect: async () => {
          const sure = await confirm({
            title: t('rights:role.deleteTitle', { name }),
            text: t('rights:role.deleteText'),
            confirm: t('common:delete'),
            danger: true,
          });
          if (sure) remove.mutate(role.key, { onError: (error) => toast.error(error.message) });
        },
      });
    return out;
  };
  return (
    <div className="stack">
      <Panel
        flush
        title={t('settings:page.roles')}
        aside={
          <ButtonLink kind="primary" to="/settings/roles/$key" params={{ key: 'new' }} search={{ from: 'member' }}>
            {t('rights:role.new')}
          </ButtonLink>
        }
      >
        {roles.isPending && <SkeletonRows rows={4} />}
        {roles.isError && roles.data === undefined && (
          <ErrorState compact error={roles.error} onRetry={() => roles.refetch()} />
        )}
        {roles.data !== undefined && (
          <Table
            label={t('settings:page.roles')}
            rows={roles.data.items}
            rowKey={(role) => role.key}
            onRowClick={open}
            columns={[
              {
                key: 'name',
                label: t('rights:role.name'),
                cell: (role) => (
                  <span className={prose.lines}>
                    <span>{label(role.name, role.key)}</span>
                    <span className="muted">
                      {role.builtin ? t(`settings:roleHelp.${role.key}`) : role.description}
                    </span>
                  </span>
                ),
              },
              {
                key: 'kind',
                label: t('rights:role.kind'),
                minor: true,
                cell: (role) => (
                  <Pill color={role.builtin ? 'gray' : 'teal'}>
                    {role.builtin ? t('rights:role.builtin') : t('rights:role.own')}
                  </Pill>
                ),
              },
              {
                key: 'holders',
                label: t('rights:role.holders'),
                align: 'right',
                cell: (role) => t('rights:org.people', { count: role.holders }),
              },
              {
                key: 'actions',
                label: <span className="sr-only">{t('settings:actions')}</span>,
                width: 44,
                cell: (role) => (
                  // biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: keeps a press on the menu from opening the row
                  <span onClick={(event) => event.stopPropagation()}>
                    <Menu
                      target={
                        <IconButton
                          label={t('settings:actionsOf', { name: label(role.name, role.key) })}
                          icon={<IconDots size={16} />}
                          tooltip={false}
                        />
                      }
                      entries={entries(role)}
                    />
                  </span>
                ),
              },
            ]}
          />
        )}
      </Panel>
      <ExplainPanel />
    </div>
  );
}
