import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import {
  BUILTIN_ROLES,
  FACTOR_TRUST,
  isApiError,
  type Provider,
  type ProviderShape,
  rolesQuery,
  useLookAtProvider,
  useSaveProvider,
} from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { Button, Drawer, IconButton, PasswordInput, RadioGroup, Select, Switch, TextInput, toast } from '@/ui';
import css from './settings.module.css';
import own from './sso.module.css';

interface RuleDraft {
  id: number;
  value: string;
  role: string;
}
interface Props {
  /** Undefined for a new provider. */
  provider?: Provider;
  onRemove?: () => void;
  onClose: () => void;
}

const words = (text: string): string[] => text.split(/[\s,;\uff0c\uff1b]+/).filter((word) => word !== '');

function useRoles() {
  const { t } = useTranslation('settings');
  const label = useLabel();
  const made = useQuery(rolesQuery()).data?.items.filter((role) => !role.builtin) ?? [];
  return [
    ...BUILTIN_ROLES.map((role) => ({ value: role as string, label: t(`settings:role.${role}`) })),
    ...made.map((role) => ({ value: role.key, label: label(role.name, role.key) })),
  ];
}

/** Whether the provider answers, before anything is saved. */
function Look({ issuer }: { issuer: string }) {
  const { t } = useTranslation('sso');
  const look = useLookAtProvider();
  const problem = isApiError(look.error) ? (look.error.at('issuer') ?? look.error.message) : look.error?.message;
  return (
    <div className={own.look}>
      <Button disabled={issuer === ''} loading={look.isPending} onClick={() => look.mutate(issuer)}>
        {t('sso:look.do')}
      </Button>
      <span role="status" className={look.error === null ? 'muted' : css.bad}>
        {problem}
        {look.data !== undefined && look.error === null && t(look.data.end ? 'sso:look.end' : 'sso:look.ok')}
      </span>
    </div>
  );
}

/** Everything about a provider of identities that an administrator sets. */
export function SsoForm({ provider, onRemove, onClose }: Props) {
  const { t } = useTranslation(['sso', 'common']);
  const roles = useRoles();
  const next = useRef(1000);
  const [shape, setShape] = useState<ProviderShape>(() => ({
    name: provider?.name ?? '',
    issuer: provider?.issuer ?? '',
    client: provider?.client ?? '',
    scopes: [],
    domains: [],
    create: provider?.create ?? false,
    role: provider?.role ?? (provider === undefined ? 'member' : ''),
    claim: provider?.claim ?? '',
    rules: [],
    factor: provider?.factor ?? 'here',
    end: provider?.end ?? false,
    enabled: provider?.enabled ?? true,
  }));
  const [scopes, setScopes] = useState((provider?.scopes ?? ['openid', 'email', 'profile']).join(' '));
  const [domains, setDomains] = useState((provider?.domains ?? []).join(' '));
  const [rules, setRules] = useState<RuleDraft[]>(() => (provider?.rules ?? []).map((rule, id) => ({ ...rule, id })));
  const [secret, setSecret] = useState('');
  const save = useSaveProvider();
  const set = (change: Partial<ProviderShape>) => setShape((old) => ({ ...old, ...change }));
  const fault = (field: string) => (isApiError(save.error) ? save.error.at(field) : undefined);
  const whole = isApiError(save.error) && save.error.fields.length === 0 ? save.error.message : null;
  const ready = [shape.name, shape.issuer, shape.client].every((each) => each.trim() !== '');
  const submit = async () => {
    if (!ready || save.isPending) return;
    const { role, claim, ...rest } = shape;
    try {
      await save.mutateAsync({
        ...(provider !== undefined && { provider }),
        ...(secret !== '' && { secret }),
        shape: {
          ...rest,
          ...(role !== '' && role !== undefined && { role }),
          ...(claim !== undefined && claim.trim() !== '' && { claim: claim.trim() }),
          scopes: words(scopes),
          domains: words(domains),
          rules: rules.map(({ value, role: given }) => ({ value, role: given })),
        },
      });
      toast.ok(t('common:saved'));
      onClose();
    } catch {
      // shown at the fields
    }
  };
  const setRule = (changed: RuleDraft) =>
    setRules((old) => old.map((each) => (each.id === changed.id ? changed : each)));
  return (
    <Drawer
      opened
      onClose={onClose}
      size={560}
      title={provider === undefined ? t('sso:add') : t('sso:edit')}
      footer={
        <>
          {onRemove !== undefined && (
            <Button kind="danger-subtle" onClick={onRemove}>
              {t('sso:remove.do')}
            </Button>
          )}
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" disabled={!ready} loading={save.isPending} onClick={() => void submit()}>
            {provider === undefined ? t('common:create') : t('common:save')}
          </Button>
        </>
      }
    >
      <div className={css.form}>
        <TextInput
          label={t('sso:name')}
          description={t('sso:nameHelp')}
          placeholder={t('sso:namePlaceholder')}
          required
          maxLength={60}
          autoFocus={provider === undefined}
          value={shape.name}
          onChange={(name) => set({ name })}
          error={fault('name')}
        />
        <TextInput
          label={t('sso:issuer')}
          description={t('sso:issuerHelp')}
          type="url"
          placeholder="https://login.example.com"
          required
          readOnly={provider !== undefined}
          value={shape.issuer}
          onChange={(issuer) => set({ issuer })}
          error={fault('issuer')}
        />
        <Look issuer={shape.issuer.trim()} />
        <TextInput
          label={t('sso:client')}
          required
          autoComplete="off"
          value={shape.client}
          onChange={(client) => set({ client })}
          error={fault('client')}
        />
        <PasswordInput
          label={t('sso:secret')}
          placeholder={provider?.secret === true ? t('sso:secretKept') : ''}
          autoComplete="new-password"
          toggleLabel={t('sso:secretShow')}
          value={secret}
          onChange={setSecret}
          error={fault('secret')}
        />
        <TextInput
          label={t('sso:scopes')}
          value={scopes}
          onChange={setScopes}
          error={fault('scopes')}
          autoComplete="off"
        />
        <h3 className={own.part}>{t('sso:who')}</h3>
        <TextInput
          label={t('sso:domains')}
          description={t('sso:domainsHelp')}
          placeholder="example.com"
          value={domains}
          onChange={setDomains}
          error={fault('domains')}
        />
        <Switch
          label={t('sso:create')}
          description={t('sso:createHelp')}
          checked={shape.create}
          onChange={(create) => set({ create })}
        />
        <Select
          label={t('sso:role')}
          description={t('sso:roleHelp')}
          options={roles}
          clearable
          value={shape.role === '' ? null : (shape.role ?? null)}
          onChange={(role) => set({ role: role ?? '' })}
          error={fault('role')}
        />
        <TextInput
          label={t('sso:claim')}
          description={t('sso:claimHelp')}
          placeholder="groups"
          value={shape.claim ?? ''}
          onChange={(claim) => set({ claim })}
          error={fault('claim')}
        />
        {rules.map((rule) => (
          <div key={rule.id} className={own.rule}>
            <TextInput
              aria-label={t('sso:ruleValue')}
              placeholder={t('sso:ruleValue')}
              value={rule.value}
              onChange={(value) => setRule({ ...rule, value })}
            />
            <Select
              aria-label={t('sso:ruleRole')}
              options={roles}
              value={rule.role}
              onChange={(role) => role !== null && setRule({ ...rule, role })}
            />
            <IconButton
              label={t('sso:ruleRemove', { value: rule.value })}
              icon={<IconTrash size={16} />}
              onClick={() => setRules((old) => old.filter((each) => each.id !== rule.id))}
            />
          </div>
        ))}
        {fault('rules') !== undefined && <p className={css.bad}>{fault('rules')}</p>}
        <div>
          <Button
            icon={<IconPlus size={15} />}
            onClick={() => setRules((old) => [...old, { id: next.current++, value: '', role: 'member' }])}
          >
            {t('sso:ruleAdd')}
          </Button>
        </div>
        <h3 className={own.part}>{t('sso:how')}</h3>
        <RadioGroup
          label={t('sso:factor')}
          value={shape.factor}
          onChange={(factor) => set({ factor })}
          options={FACTOR_TRUST.map((value) => ({
            value,
            label: t(`sso:factors.${value}`),
            description: t(`sso:factorHelp.${value}`),
          }))}
        />
        <Switch
          label={t('sso:end')}
          description={t('sso:endHelp')}
          checked={shape.end}
          onChange={(end) => set({ end })}
        />
        <Switch
          label={t('sso:enabled')}
          description={t('sso:enabledHelp')}
          checked={shape.enabled}
          onChange={(enabled) => set({ enabled })}
        />
        {whole !== null && (
          <p className={css.bad} role="alert">
            {whole}
          </p>
        )}
      </div>
    </Drawer>
  );
}
