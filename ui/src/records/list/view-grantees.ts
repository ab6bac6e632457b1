import { useQuery } from '@tanstack/react-query';
import { orgQuery, type Role, usersQuery, type ViewShare, viewRolesQuery } from '@/api';
import { useTranslation } from '@/i18n';

export type Grantee = Pick<ViewShare, 'kind' | 'to'>;
export const keyOf = ({ kind, to }: Grantee) => `${kind} ${to}`;
export function granteeOf(key: string): Grantee {
  const [kind = '', to = ''] = key.split(' ');
  return { kind: kind as ViewShare['kind'], to };
}

const BUILTIN: readonly string[] = ['administrator', 'manager', 'member', 'readonly'] satisfies Role[];

/** What somebody whom a view is shared with is called. */
export function useGranteeName() {
  const { t } = useTranslation('sharing');
  return ({ kind, to, name }: ViewShare): string => {
    if (kind === 'everyone') return t('sharing:everyone');
    if (kind === 'role' && BUILTIN.includes(to)) return t(`sharing:role.${to}`);
    return name || to;
  };
}

/** Everybody a view can be shared with; roles and everyone for those who may. */
export function useGrantees(wide: boolean) {
  const { t } = useTranslation('sharing');
  const name = useGranteeName();
  const users = useQuery(usersQuery()).data?.items ?? [];
  const units = useQuery(orgQuery()).data?.items ?? [];
  const roles = useQuery({ ...viewRolesQuery(), enabled: wide }).data?.items ?? [];
  const option = (kind: ViewShare['kind'], to: string, label: string) => ({
    value: keyOf({ kind, to }),
    label: name({ kind, to, name: label, access: 'read' }),
    group: t(`sharing:kind.${kind}`),
  });
  return [
    ...(wide ? [option('everyone', '', '')] : []),
    ...users.filter((user) => !user.disabled).map((user) => option('user', user.id, user.name || user.email)),
    ...units.filter(({ kind }) => kind === 'team').map((unit) => option('team', unit.id, unit.name)),
    ...units.filter(({ kind }) => kind === 'department').map((unit) => option('department', unit.id, unit.name)),
    ...(wide ? roles.map((role) => option('role', role.key, role.name)) : []),
  ];
}
