import { IconPlus, IconTrash } from '@tabler/icons-react';
import type { IdentitySettings, OrderRule, TraitMapping } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { findField, useObject } from '@/metadata';
import { Button, IconButton, Select, Switch, TagsInput, TextInput } from '@/ui';
import css from './identities.module.css';

type ErrorAt = (place: string) => string | undefined;
type People = IdentitySettings['people'];

const MODES = ['newest', 'empty', 'off'] as const;
const DOES = ['completed', 'updated', 'refunded', 'cancelled'] as const;
const CLOSED = ['relation', 'relation_many', 'user', 'auto_number'];

/** Where traits go, and whether people who are not found become customers. */
export function Mappings({
  people,
  errorAt,
  onChange,
}: {
  people: People;
  errorAt: ErrorAt;
  onChange: (change: Partial<People>) => void;
}) {
  const { t } = useTranslation('identities');
  const label = useLabel();
  const object = useObject('customer');
  const fields = (object?.fields ?? []).filter(
    (field) => !CLOSED.includes(field.type) && !field.read_only && !field.operation_only,
  );
  const sources = object === undefined ? [] : (findField(object, 'source')?.options ?? []);
  const set = (at: number, change: Partial<TraitMapping>) =>
    onChange({ mappings: people.mappings.map((one, index) => (index === at ? { ...one, ...change } : one)) });
  return (
    <div className={css.lines}>
      <Switch
        checked={people.create}
        onChange={(create) => onChange({ create })}
        label={t('identities:create')}
        description={t('identities:createText')}
      />
      <Switch
        checked={people.same}
        onChange={(same) => onChange({ same })}
        label={t('identities:sameName')}
        description={t('identities:sameNameText')}
      />
      <Select
        label={t('identities:source')}
        value={people.source === '' ? null : people.source}
        clearable
        error={errorAt('source')}
        onChange={(source) => onChange({ source: source ?? '' })}
        options={sources.map((option) => ({ value: option.key, label: label(option.label, option.key) }))}
      />
      {people.mappings.map((one, at) => (
        <div key={at} className={css.mapping}>
          <TextInput
            label={t('identities:trait')}
            value={one.trait}
            error={errorAt(`mappings.${at}.trait`)}
            onChange={(trait) => set(at, { trait })}
          />
          <Select
            label={t('identities:field')}
            value={one.field}
            searchable
            error={errorAt(`mappings.${at}.field`)}
            onChange={(field) => field !== null && set(at, { field })}
            options={fields.map((field) => ({ value: field.key, label: label(field.label, field.key) }))}
          />
          <Select
            label={t('identities:mode')}
            value={one.mode}
            error={errorAt(`mappings.${at}.mode`)}
            onChange={(mode) => mode !== null && set(at, { mode: mode as TraitMapping['mode'] })}
            options={MODES.map((mode) => ({ value: mode, label: t(`identities:modes.${mode}`) }))}
          />
          <IconButton
            label={t('identities:remove', { name: one.trait })}
            icon={<IconTrash size={15} />}
            onClick={() => onChange({ mappings: people.mappings.filter((_, index) => index !== at) })}
          />
        </div>
      ))}
      <div className={css.bar}>
        <Button
          icon={<IconPlus size={15} />}
          onClick={() => onChange({ mappings: [...people.mappings, { trait: '', field: 'name', mode: 'newest' }] })}
        >
          {t('identities:addMapping')}
        </Button>
      </div>
    </div>
  );
}

/** "order_id=orderId" as it is typed, one a part. */
const texts = (rule: OrderRule): string[] => Object.entries(rule.properties).map(([part, name]) => `${part}=${name}`);
const parts = (list: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    list.flatMap((text) => {
      const [part, name] = text.split('=', 2).map((half) => half.trim());
      return part === undefined || part === '' || name === undefined || name === '' ? [] : [[part, name]];
    }),
  );

/** Which events make, change and take back orders. */
export function OrderRules({
  rules,
  errorAt,
  onChange,
}: {
  rules: readonly OrderRule[];
  errorAt: ErrorAt;
  onChange: (rules: OrderRule[]) => void;
}) {
  const { t } = useTranslation('identities');
  const set = (at: number, change: Partial<OrderRule>) =>
    onChange(rules.map((one, index) => (index === at ? { ...one, ...change } : one)));
  return (
    <div className={css.lines}>
      <p className="muted">{t('identities:ordersText')}</p>
      {rules.map((rule, at) => (
        <div key={at} className={css.order}>
          <TextInput
            label={t('identities:event')}
            value={rule.event}
            error={errorAt(`orders.${at}.event`)}
            onChange={(event) => set(at, { event })}
          />
          <Select
            label={t('identities:does')}
            value={rule.does}
            error={errorAt(`orders.${at}.does`)}
            onChange={(does) => does !== null && set(at, { does: does as OrderRule['does'] })}
            options={DOES.map((does) => ({ value: does, label: t(`identities:doing.${does}`) }))}
          />
          <TagsInput
            label={t('identities:properties')}
            placeholder="order_id=orderId"
            value={texts(rule)}
            onChange={(list) => set(at, { properties: parts(list) })}
          />
          <IconButton
            label={t('identities:remove', { name: rule.event })}
            icon={<IconTrash size={15} />}
            onClick={() => onChange(rules.filter((_, index) => index !== at))}
          />
        </div>
      ))}
      <div className={css.bar}>
        <Button
          icon={<IconPlus size={15} />}
          onClick={() => onChange([...rules, { event: '', does: 'completed', properties: {} }])}
        >
          {t('identities:addOrder')}
        </Button>
      </div>
    </div>
  );
}
