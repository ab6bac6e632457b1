import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { BUILTIN_ROLES, type Role, rolesQuery, securityQuery, useSaveSecurity } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { Checkbox, Panel, toast } from '@/ui';
import css from './settings.module.css';

/** Which roles must have a second factor. Every click is saved. */
export function SecurityRules() {
  const { t } = useTranslation(['settings', 'common']);
  const label = useLabel();
  const { data } = useQuery(securityQuery());
  const made = useQuery(rolesQuery()).data?.items.filter((role) => !role.builtin) ?? [];
  const save = useSaveSecurity();
  // What was clicked shows at once and gives way to what the server says.
  const [draft, setDraft] = useState<Role[] | null>(null);
  if (data === undefined) return null;
  const chosen = draft ?? data.factor_roles;
  const choose = (role: Role, on: boolean) => {
    const roles = on ? [...chosen, role] : chosen.filter((each) => each !== role);
    setDraft(roles);
    save.mutate(
      { factor_roles: roles },
      {
        onSuccess: () => toast.ok(t('common:saved')),
        onError: (error) => toast.error(t('common:failed.save'), { detail: error.message }),
        onSettled: () => setDraft(null),
      },
    );
  };
  return (
    <Panel title={t('settings:rules.title')}>
      <fieldset className={css.scopes}>
        <legend>{t('settings:rules.roles')}</legend>
        {BUILTIN_ROLES.map((role) => (
          <Checkbox
            key={role}
            label={t(`settings:role.${role}`)}
            checked={chosen.includes(role)}
            disabled={save.isPending}
            onChange={(on) => choose(role, on)}
          />
        ))}
        {made.map((role) => (
          <Checkbox
            key={role.key}
            label={label(role.name, role.key)}
            checked={chosen.includes(role.key)}
            disabled={save.isPending}
            onChange={(on) => choose(role.key, on)}
          />
        ))}
      </fieldset>
      <p className={css.note}>{t('settings:rules.help')}</p>
    </Panel>
  );
}
