import { IconPlus, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import {
  APPROVER_KINDS,
  type Approver,
  type ApproverKind,
  type ObjectType,
  orgQuery,
  rolesQuery,
  usersQuery,
} from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { Button, IconButton, NumberInput, Select } from '@/ui';
import css from './approvals.module.css';

interface Props {
  label: string;
  list: Approver[];
  object: ObjectType | undefined;
  /** Only people, roles and units: whose writes are meant. */
  plain?: boolean;
  /** Where the record is not known: an export. */
  recordless?: boolean;
  errorAt: (place: string) => string | undefined;
  onChange: (list: Approver[]) => void;
}

const PLAIN: readonly ApproverKind[] = ['user', 'role', 'unit'];
const LEVELS: readonly ApproverKind[] = ['manager', 'chain', 'field_manager'];

/** Who is asked, or whose writes are meant: people by name, role, place or relation to the record. */
export function Approvers({ label: title, list, object, plain = false, recordless = false, errorAt, onChange }: Props) {
  const { t } = useTranslation('approvals');
  const label = useLabel();
  const users = useQuery(usersQuery()).data?.items ?? [];
  const roles = useQuery({ ...rolesQuery(), retry: false }).data?.items ?? [];
  const units = useQuery(orgQuery()).data?.items ?? [];
  const people = (object?.fields ?? []).filter((field) => field.type === 'user');
  const kinds = (plain ? PLAIN : APPROVER_KINDS).filter(
    (kind) => !recordless || (kind !== 'field' && kind !== 'field_manager'),
  );
  const set = (at: number, next: Approver) => onChange(list.map((one, index) => (index === at ? next : one)));
  const start = (kind: ApproverKind): Approver => ({ kind, ...(LEVELS.includes(kind) && { level: 1 }) });
  const target = (one: Approver, at: number) => {
    if (one.kind === 'manager' || one.kind === 'chain') return null;
    const shared = { 'aria-label': t('approvals:who.target'), searchable: true } as const;
    if (one.kind === 'user')
      return (
        <Select
          {...shared}
          options={users
            .filter((user) => !user.disabled || user.id === one.user)
            .map((user) => ({ value: user.id, label: user.name || user.email }))}
          value={one.user ?? null}
          error={errorAt(`${at}.user`)}
          onChange={(user) => set(at, { kind: one.kind, ...(user !== null && { user }) })}
        />
      );
    if (one.kind === 'role')
      return (
        <Select
          {...shared}
          options={roles.map((role) => ({ value: role.key, label: label(role.name, role.key) }))}
          value={one.role ?? null}
          error={errorAt(`${at}.role`)}
          onChange={(role) => set(at, { kind: one.kind, ...(role !== null && { role }) })}
        />
      );
    if (one.kind === 'unit' || one.kind === 'head')
      return (
        <Select
          {...shared}
          options={units.map((unit) => ({ value: unit.id, label: unit.name }))}
          value={one.unit ?? null}
          error={errorAt(`${at}.unit`)}
          onChange={(unit) => set(at, { kind: one.kind, ...(unit !== null && { unit }) })}
        />
      );
    return (
      <Select
        {...shared}
        options={people.map((field) => ({ value: field.key, label: label(field.label, field.key) }))}
        value={one.field ?? null}
        error={errorAt(`${at}.field`)}
        onChange={(field) =>
          set(at, {
            kind: one.kind,
            ...(field !== null && { field }),
            ...(one.level !== undefined && { level: one.level }),
          })
        }
      />
    );
  };
  return (
    <div className={css.rows}>
      <span className={css.label}>{title}</span>
      {list.map((one, at) => (
        <div key={at} className={css.approver}>
          <Select
            aria-label={t('approvals:who.kind')}
            options={kinds.map((kind) => ({ value: kind, label: t(`approvals:who.${kind}`) }))}
            value={one.kind}
            error={errorAt(String(at)) ?? errorAt(`${at}.kind`)}
            onChange={(kind) => kind !== null && set(at, start(kind as ApproverKind))}
          />
          {target(one, at) ?? <span />}
          {LEVELS.includes(one.kind) ? (
            <NumberInput
              aria-label={t('approvals:who.level')}
              min={1}
              max={10}
              suffix={t('approvals:who.levelUnit')}
              value={one.level ?? 1}
              error={errorAt(`${at}.level`)}
              onChange={(level) => set(at, { ...one, level: level ?? 1 })}
            />
          ) : (
            <span />
          )}
          <IconButton
            label={t('approvals:who.remove')}
            icon={<IconX size={14} />}
            onClick={() => onChange(list.filter((_, index) => index !== at))}
          />
        </div>
      ))}
      {errorAt('') !== undefined && <span role="alert">{errorAt('')}</span>}
      <div>
        <Button
          kind="subtle"
          icon={<IconPlus size={15} />}
          onClick={() => onChange([...list, start(plain ? 'role' : 'manager')])}
        >
          {t('approvals:who.add')}
        </Button>
      </div>
    </div>
  );
}
