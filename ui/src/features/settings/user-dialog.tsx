import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import {
  BUILTIN_ROLES,
  isApiError,
  mailStateQuery,
  type Role,
  rolesQuery,
  type User,
  useInvite,
  useSaveUser,
} from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { Button, Modal, PasswordInput, RadioGroup, Switch, TextInput, toast } from '@/ui';
import css from './settings.module.css';

interface Props {
  /** Undefined for a new person. */
  user?: User;
  onClose: () => void;
}

/** A new person with a first password, or name, role and a new password of an existing one. */
export function UserDialog({ user, onClose }: Props) {
  const { t } = useTranslation(['settings', 'common', 'links']);
  const label = useLabel();
  const made = useQuery(rolesQuery()).data?.items.filter((each) => !each.builtin) ?? [];
  const [email, setEmail] = useState(user?.email ?? '');
  const [name, setName] = useState(user?.name ?? '');
  const [role, setRole] = useState<Role>(user?.role ?? 'member');
  const [password, setPassword] = useState('');
  const [temporary, setTemporary] = useState(true);
  const save = useSaveUser();
  const invite = useInvite();
  const reachable = useQuery({ ...mailStateQuery(), enabled: user === undefined }).data?.reachable === true;
  const [way, setWay] = useState<'mail' | 'password'>('mail');
  const byMail = user === undefined && reachable && way === 'mail';
  const problem = byMail ? invite.error : save.error;
  const fault = (field: string) => (isApiError(problem) ? problem.at(field) : undefined);
  const whole = isApiError(problem) && problem.fields.length === 0 ? problem.message : null;
  const ready = email.trim() !== '' && (user !== undefined || byMail || password !== '');
  const submit = () => {
    if (!ready) return;
    const done = {
      onSuccess: () => {
        toast.ok(t('common:saved'));
        onClose();
      },
    };
    if (byMail)
      invite.mutate(
        { email: email.trim(), name: name.trim(), role },
        {
          onSuccess: () => {
            toast.ok(t('links:people.sent'));
            onClose();
          },
        },
      );
    else if (user === undefined)
      save.mutate({ create: { email: email.trim(), name: name.trim(), role, password, temporary } }, done);
    else
      save.mutate(
        {
          id: user.id,
          change: {
            ...(name.trim() !== user.name && { name: name.trim() }),
            ...(role !== user.role && { role }),
            ...(password !== '' && { password, temporary }),
          },
        },
        done,
      );
  };
  return (
    <Modal
      opened
      onClose={onClose}
      dirty={email !== (user?.email ?? '') || name !== (user?.name ?? '') || password !== ''}
      title={user === undefined ? t('settings:users.add') : t('settings:users.edit')}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" disabled={!ready} loading={save.isPending || invite.isPending} onClick={submit}>
            {byMail && t('links:people.send')}
            {!byMail && (user === undefined ? t('settings:users.create') : t('common:save'))}
          </Button>
        </>
      }
    >
      <div className={css.form}>
        <TextInput
          label={t('settings:users.email')}
          type="email"
          autoComplete="off"
          autoFocus={user === undefined}
          required={user === undefined}
          disabled={user !== undefined}
          value={email}
          onChange={setEmail}
          error={fault('email')}
        />
        <TextInput
          label={t('settings:users.name')}
          value={name}
          onChange={setName}
          maxLength={100}
          error={fault('name')}
        />
        <RadioGroup
          label={t('settings:users.role')}
          value={role}
          onChange={setRole}
          options={[
            ...BUILTIN_ROLES.map((each) => ({
              value: each as string,
              label: t(`settings:role.${each}`),
              description: t(`settings:roleHelp.${each}`),
            })),
            ...made.map((each) => ({
              value: each.key,
              label: label(each.name, each.key),
              description: each.description,
            })),
          ]}
        />
        {user === undefined && reachable && (
          <RadioGroup
            label={t('links:people.how')}
            value={way}
            onChange={setWay}
            options={[
              { value: 'mail', label: t('links:people.byMail') },
              { value: 'password', label: t('links:people.byPassword') },
            ]}
          />
        )}
        {!byMail && (
          <PasswordInput
            label={user === undefined ? t('settings:users.password') : t('settings:users.newPassword')}
            description={user === undefined ? t('settings:users.passwordHelp') : t('settings:users.newPasswordHelp')}
            autoComplete="new-password"
            toggleLabel={t('settings:password.show')}
            value={password}
            onChange={setPassword}
            error={fault('password')}
          />
        )}
        {!byMail && password !== '' && (
          <Switch
            label={t('settings:users.temporary')}
            description={t('settings:users.temporaryHelp')}
            checked={temporary}
            onChange={setTemporary}
          />
        )}
        {whole !== null && (
          <p className={css.bad} role="alert">
            {whole}
          </p>
        )}
      </div>
    </Modal>
  );
}
