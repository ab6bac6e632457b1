import { IconArrowDown, IconArrowUp, IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import type { IdentityNamespace } from '@/api';
import { useTranslation } from '@/i18n';
import { useNamespaceName } from '@/records/identity/names';
import { Button, Checkbox, IconButton, NumberInput, Switch, TagsInput, TextInput } from '@/ui';
import css from './identities.module.css';

interface Props {
  list: readonly IdentityNamespace[];
  errorAt: (place: string) => string | undefined;
  onChange: (list: IdentityNamespace[]) => void;
}

const FIXED = ['user_id', 'email', 'phone', 'unionid', 'openid', 'loyalty_card', 'anonymous_id', 'device'];

/** The kinds of identifier from the strongest to the weakest, with their limits. */
export function Namespaces({ list, errorAt, onChange }: Props) {
  const { t } = useTranslation('identities');
  const nameOf = useNamespaceName();
  const [fresh, setFresh] = useState('');
  const set = (at: number, change: Partial<IdentityNamespace>) =>
    onChange(list.map((one, index) => (index === at ? { ...one, ...change } : one)));
  const move = (at: number, by: number) => {
    const next = [...list];
    const [one] = next.splice(at, 1);
    if (one !== undefined) next.splice(at + by, 0, one);
    onChange(next);
  };
  const add = () => {
    onChange([
      ...list,
      { key: fresh.trim(), enabled: true, traits: [fresh.trim()], limit: 5, days: 0, shared: false, blocked: [] },
    ]);
    setFresh('');
  };
  return (
    <div className={css.lines}>
      {list.map((one, at) => {
        const name = nameOf(one.key);
        const first = at === 0;
        const place = (member: string) => errorAt(`namespaces.${at}.${member}`);
        return (
          <div key={one.key} className={css.namespace}>
            <span className={css.label}>
              <Switch
                checked={one.enabled}
                disabled={first}
                onChange={(enabled) => set(at, { enabled })}
                label={name}
              />
              {place('key') !== undefined && <span role="alert">{place('key')}</span>}
            </span>
            <TagsInput
              label={t('identities:traits')}
              value={one.traits}
              error={place('traits')}
              onChange={(traits) => set(at, { traits })}
            />
            <NumberInput
              label={t('identities:limit')}
              value={one.limit}
              min={1}
              max={1000}
              disabled={first}
              error={place('limit')}
              onChange={(limit) => set(at, { limit: limit ?? 1 })}
            />
            <NumberInput
              label={t('identities:days')}
              value={one.days}
              min={0}
              max={3650}
              disabled={first}
              error={place('days')}
              onChange={(days) => set(at, { days: days ?? 0 })}
            />
            <Checkbox
              checked={one.shared}
              disabled={first}
              onChange={(shared) => set(at, { shared })}
              label={t('identities:shared')}
            />
            <span>
              <IconButton
                label={t('identities:up', { name })}
                icon={<IconArrowUp size={15} />}
                disabled={at < 2}
                onClick={() => move(at, -1)}
              />
              <IconButton
                label={t('identities:down', { name })}
                icon={<IconArrowDown size={15} />}
                disabled={first || at === list.length - 1}
                onClick={() => move(at, 1)}
              />
              {!FIXED.includes(one.key) && (
                <IconButton
                  label={t('identities:remove', { name })}
                  icon={<IconTrash size={15} />}
                  onClick={() => onChange(list.filter((_, index) => index !== at))}
                />
              )}
            </span>
          </div>
        );
      })}
      <div className={css.bar}>
        <TextInput label={t('identities:newNamespace')} value={fresh} onChange={setFresh} placeholder="crm_id" />
        <Button
          icon={<IconPlus size={15} />}
          disabled={fresh.trim() === '' || list.some((one) => one.key === fresh.trim())}
          onClick={add}
        >
          {t('identities:add')}
        </Button>
      </div>
    </div>
  );
}
