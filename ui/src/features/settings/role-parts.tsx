import { useState } from 'react';
import { type Action, type Condition, FIELD_LEVELS, type FieldLevel, type RoleDraft } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { SYSTEM_FIELDS, useObject } from '@/metadata';
import { ConditionBuilder } from '@/records/conditions';
import { Button, Drawer } from '@/ui';
import { grantsOf, withGrants } from './role-draft';
import css from './roles.module.css';

interface FieldsProps {
  draft: RoleDraft;
  object: string;
  onChange: (draft: RoleDraft) => void;
  onClose: () => void;
}

/** For each field of an object how much of it the role sees. */
export function RoleFields({ draft, object: key, onChange, onClose }: FieldsProps) {
  const { t } = useTranslation('rights');
  const label = useLabel();
  const object = useObject(key);
  if (object === undefined) return null;
  const grants = grantsOf(draft, key);
  const set = (field: string, level: FieldLevel) => {
    const { [field]: _, ...rest } = grants.fields ?? {};
    onChange(
      withGrants(draft, key, {
        actions: { ...grants.actions },
        fields: level === 'write' ? rest : { ...rest, [field]: level },
      }),
    );
  };
  const needed = new Set([object.title_field, 'customer']);
  return (
    <Drawer
      opened
      onClose={onClose}
      size={460}
      title={t('rights:fields.title', { object: label(object.plural, key) })}
      footer={
        <Button kind="primary" onClick={onClose}>
          {t('rights:done')}
        </Button>
      }
    >
      <p className="muted">{t('rights:fields.text')}</p>
      <ul className={css.fieldList}>
        {object.fields
          .filter(
            (field) => !(SYSTEM_FIELDS as readonly string[]).includes(field.key) && field.type !== 'relation_many',
          )
          .map((field) => {
            const name = label(field.label, field.key);
            return (
              <li key={field.key}>
                <span className="truncate">{name}</span>
                <select
                  className={css.scope}
                  data-scope={grants.fields?.[field.key] === undefined ? 'all' : 'own'}
                  aria-label={t('rights:fields.levelOf', { field: name })}
                  value={grants.fields?.[field.key] ?? 'write'}
                  onChange={(event) => set(field.key, event.target.value as FieldLevel)}
                >
                  {FIELD_LEVELS.filter((level) => !needed.has(field.key) || level === 'write' || level === 'read').map(
                    (level) => (
                      <option key={level} value={level}>
                        {t(`rights:level.${level}`)}
                      </option>
                    ),
                  )}
                </select>
              </li>
            );
          })}
      </ul>
    </Drawer>
  );
}

interface ConditionProps extends FieldsProps {
  action: Action;
  faults: readonly { location: string; message: string }[];
}

/** The condition that records must fulfil for an action. */
export function RoleCondition({ draft, object: key, action, faults, onChange, onClose }: ConditionProps) {
  const { t } = useTranslation('rights');
  const label = useLabel();
  const object = useObject(key);
  const grants = grantsOf(draft, key);
  const [where, setWhere] = useState<Condition | null>(grants.actions[action]?.where ?? null);
  const [complete, setComplete] = useState(where !== null);
  const [tried, setTried] = useState(false);
  const at = `objects.${key}.actions.${action}.where`;
  const keep = () => {
    if (!complete || where === null) {
      setTried(true);
      return;
    }
    onChange(
      withGrants(draft, key, { ...grants, actions: { ...grants.actions, [action]: { scope: 'condition', where } } }),
    );
    onClose();
  };
  return (
    <Drawer
      opened
      onClose={onClose}
      size={720}
      title={t('rights:condition.title', {
        object: label(object?.plural, key),
        action: t(`rights:action.${action}`),
      })}
      footer={
        <>
          <Button onClick={onClose}>{t('rights:cancel')}</Button>
          <Button kind="primary" onClick={keep}>
            {t('rights:done')}
          </Button>
        </>
      }
    >
      <p className="muted">{t('rights:condition.text')}</p>
      <ConditionBuilder
        object={key}
        where={where}
        showProblems={tried}
        faults={faults
          .filter(({ location }) => location.startsWith(at))
          .map(({ location, message }) => ({ location: location.slice(at.length), message }))}
        onChange={(next, state) => {
          setWhere(next);
          setComplete(state.complete);
        }}
      />
    </Drawer>
  );
}
