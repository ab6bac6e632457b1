import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { type AccessRole, isApiError, type RoleDraft, rolesQuery, useSaveRole } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import {
  BackLink,
  Button,
  ButtonLink,
  Checkbox,
  Closed,
  EmptyState,
  ErrorState,
  Panel,
  SkeletonRows,
  Textarea,
  TextInput,
  toast,
} from '@/ui';
import { draftOf } from './role-draft';
import { RoleMatrix, type RolePart } from './role-matrix';
import { RolePreview } from './role-preview';
import css from './roles.module.css';

const RoleFields = lazy(() => import('./role-parts').then((module) => ({ default: module.RoleFields })));
const RoleCondition = lazy(() => import('./role-parts').then((module) => ({ default: module.RoleCondition })));

interface EditorProps {
  /** What the form starts from. */
  from: AccessRole;
  /** Undefined while a new role is made. */
  role?: AccessRole;
  general: readonly string[];
}

function Editor({ from, role, general }: EditorProps) {
  const { t } = useTranslation(['rights', 'common', 'settings']);
  const label = useLabel();
  const navigate = useNavigate();
  const fixed = role?.builtin === true;
  const [draft, setDraft] = useState<RoleDraft>(() => draftOf(from, role === undefined ? '' : label(role.name)));
  const [part, setPart] = useState<RolePart | null>(null);
  const save = useSaveRole();
  const faults = isApiError(save.error) ? save.error.fields : [];
  const fault = (field: string) => (isApiError(save.error) ? save.error.at(field) : undefined);
  // Awaited here: the role read anew puts another editor in the place of this one, and callbacks of a call end with it.
  const submit = async () => {
    try {
      await save.mutateAsync({ role: draft, ...(role !== undefined && { key: role.key, version: role.version }) });
      toast.ok(t('common:saved'));
      navigate({ to: '/settings/roles' });
    } catch {
      // save.error stands over the form
    }
  };
  const name = role === undefined ? t('rights:role.new') : label(role.name, role.key);
  return (
    <div className="stack">
      <div className={css.head}>
        <BackLink to="/settings/roles" label={t('settings:page.roles')} />
        <h2 className="grow">{name}</h2>
        {fixed ? (
          <ButtonLink
            kind="primary"
            to="/settings/roles/$key"
            params={{ key: 'new' }}
            search={{ from: from.key } as never}
          >
            {t('rights:role.copy')}
          </ButtonLink>
        ) : (
          <Button
            kind="primary"
            loading={save.isPending}
            disabled={draft.name.trim() === ''}
            onClick={() => void submit()}
          >
            {t('common:save')}
          </Button>
        )}
      </div>
      {fixed && <p className={css.note}>{t('rights:role.fixed')}</p>}
      {save.isError && (
        <div className={css.bad} role="alert">
          <p>{save.error.message}</p>
          {faults.length > 0 && (
            <ul>
              {faults.map(({ location, message }) => (
                <li key={location + message}>{message}</li>
              ))}
            </ul>
          )}
        </div>
      )}
      {!fixed && (
        <Panel>
          <div className={css.form}>
            <TextInput
              label={t('rights:role.name')}
              value={draft.name}
              onChange={(next) => setDraft({ ...draft, name: next })}
              maxLength={100}
              required
              autoFocus={role === undefined}
              error={fault('name')}
            />
            <Textarea
              label={t('rights:role.description')}
              value={draft.description}
              onChange={(next) => setDraft({ ...draft, description: next })}
            />
          </div>
        </Panel>
      )}
      <Panel title={t('rights:general.title')}>
        <div className={css.general}>
          {general.map((right) => (
            <Checkbox
              key={right}
              label={t(`rights:right.${right.replace('.', '_')}`)}
              disabled={fixed}
              checked={draft.rights.includes(right)}
              onChange={(on) =>
                setDraft({
                  ...draft,
                  rights: general.filter((each) => (each === right ? on : draft.rights.includes(each))),
                })
              }
            />
          ))}
        </div>
      </Panel>
      <Panel flush title={t('rights:matrix.title')}>
        <RoleMatrix draft={draft} fixed={fixed} faults={faults} onChange={setDraft} onOpen={setPart} />
        <p className={css.legend}>{t('rights:matrix.legend')}</p>
      </Panel>
      {!fixed && <RolePreview draft={{ ...draft, name: draft.name.trim() || t('rights:role.new') }} />}
      <Suspense>
        {part !== null && part.action === undefined && (
          <RoleFields draft={draft} object={part.object} onChange={setDraft} onClose={() => setPart(null)} />
        )}
        {part?.action !== undefined && (
          <RoleCondition
            draft={draft}
            object={part.object}
            action={part.action}
            faults={faults}
            onChange={setDraft}
            onClose={() => setPart(null)}
          />
        )}
      </Suspense>
    </div>
  );
}

/** One role, or a new one made of another. */
export function RolePage() {
  const can = useCan();
  const { key = '' } = useParams({ strict: false }) as { key?: string };
  const { from = 'member' } = useSearch({ strict: false }) as { from?: string };
  const roles = useQuery({ ...rolesQuery(), enabled: can('role.manage') });
  if (!can('role.manage')) return <EmptyState cause="no_permission" />;
  if (roles.data === undefined)
    return roles.isError ? (
      <ErrorState error={roles.error} onRetry={() => roles.refetch()} />
    ) : (
      <SkeletonRows rows={8} />
    );
  const find = (wanted: string) => roles.data.items.find((each) => each.key === wanted);
  const role = key === 'new' ? undefined : find(key);
  const source = role ?? find(from) ?? find('member');
  if (source === undefined || (key !== 'new' && role === undefined)) return <Closed cause="not_found" />;
  return (
    <Editor
      key={`${key} ${from} ${role?.version ?? 0}`}
      from={source}
      {...(role !== undefined && { role })}
      general={roles.data.general}
    />
  );
}
