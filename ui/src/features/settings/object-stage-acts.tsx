import { IconPlus, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ObjectType, STAGE_ACTS, type StageAct, type StageActKind, usersQuery } from '@/api';
import { FieldEditor } from '@/fields';
import { labelText, useLabel, useLanguage, useTranslation } from '@/i18n';
import { findField, SYSTEM_FIELDS } from '@/metadata';
import { Button, IconButton, NumberInput, Select, TextInput } from '@/ui';
import css from './approvals.module.css';

interface Props {
  title: string;
  acts: StageAct[];
  object: ObjectType;
  stageField: string;
  onChange: (acts: StageAct[]) => void;
}

/** What happens by itself: a field set, a task made, somebody told. */
export function StageActs({ title, acts, object, stageField, onChange }: Props) {
  const { t } = useTranslation('stages');
  const label = useLabel();
  const language = useLanguage();
  const users = useQuery(usersQuery()).data?.items ?? [];
  const fields = object.fields.filter(
    (one) =>
      !(SYSTEM_FIELDS as readonly string[]).includes(one.key) &&
      one.key !== stageField &&
      !one.read_only &&
      !one.personal &&
      one.type !== 'relation_many' &&
      one.type !== 'relation' &&
      one.type !== 'user',
  );
  const set = (at: number, part: Partial<StageAct>) =>
    onChange(acts.map((one, index) => (index === at ? { ...one, ...part } : one)));
  const start = (kind: StageActKind): StageAct => (kind === 'set' ? { kind } : { kind, text: '' });
  return (
    <div className={css.rows}>
      <span className={css.label}>{title}</span>
      {acts.map((act, at) => {
        const field = findField(object, act.field ?? '');
        return (
          <div key={at} className={css.step}>
            <div className={css.stepHead}>
              <Select
                aria-label={t('stages:act.kind')}
                options={STAGE_ACTS.map((kind) => ({ value: kind, label: t(`stages:act.${kind}`) }))}
                value={act.kind}
                onChange={(kind) =>
                  kind !== null &&
                  onChange(acts.map((one, index) => (index === at ? start(kind as StageActKind) : one)))
                }
              />
              <span className="grow" />
              <IconButton
                label={t('stages:act.remove')}
                icon={<IconX size={14} />}
                onClick={() => onChange(acts.filter((_, index) => index !== at))}
              />
            </div>
            {act.kind === 'set' && (
              <div className={css.two}>
                <Select
                  label={t('stages:act.field')}
                  searchable
                  options={fields.map((one) => ({ value: one.key, label: label(one.label, one.key) }))}
                  value={act.field ?? null}
                  onChange={(next) =>
                    next !== null &&
                    onChange(acts.map((one, index) => (index === at ? { kind: 'set', field: next } : one)))
                  }
                />
                {field !== undefined && (
                  <FieldEditor
                    key={field.key}
                    field={field}
                    value={act.value ?? null}
                    label={labelText(field.label, language, field.key)}
                    onChange={(value) => set(at, { value })}
                  />
                )}
              </div>
            )}
            {act.kind !== 'set' && (
              <>
                <TextInput
                  label={t('stages:act.text')}
                  value={act.text ?? ''}
                  maxLength={500}
                  onChange={(text) => set(at, { text })}
                />
                <div className={css.two}>
                  <Select
                    label={t('stages:act.user')}
                    placeholder={t('stages:act.owner')}
                    clearable
                    searchable
                    options={users
                      .filter((one) => !one.disabled)
                      .map((one) => ({ value: one.id, label: one.name || one.email }))}
                    value={act.user ?? null}
                    onChange={(user) => {
                      const { user: _, ...rest } = act;
                      const next = user === null ? rest : { ...rest, user };
                      onChange(acts.map((one, index) => (index === at ? next : one)));
                    }}
                  />
                  {act.kind === 'task' && (
                    <NumberInput
                      label={t('stages:act.days')}
                      min={0}
                      max={365}
                      value={act.days ?? 0}
                      onChange={(days) => set(at, { days: days ?? 0 })}
                    />
                  )}
                </div>
              </>
            )}
          </div>
        );
      })}
      <div>
        <Button kind="subtle" icon={<IconPlus size={15} />} onClick={() => onChange([...acts, start('task')])}>
          {t('stages:act.add')}
        </Button>
      </div>
    </div>
  );
}
