import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import {
  PLAN_ACTS,
  type PlanAct,
  type PlannedEvent,
  type PlannedProperty,
  PROPERTY_TYPES,
  type PropertyType,
} from '@/api';
import { useTranslation } from '@/i18n';
import { Button, Checkbox, Drawer, IconButton, Select, Switch, TagsInput, TextInput } from '@/ui';
import css from './events.module.css';

interface Props {
  event: PlannedEvent | null;
  /** Names of the other events. */
  taken: string[];
  readOnly: boolean;
  onClose: () => void;
  /** Null removes it. */
  onSave: (event: PlannedEvent | null) => void;
}

const EMPTY: PlannedEvent = { name: '', note: '', act: 'flag', closed: false, properties: [] };

/** One event of the plan with its properties. It goes into the plan on the page, which is saved there. */
export function PlanEventDialog({ event, taken, readOnly, onClose, onSave }: Props) {
  const { t } = useTranslation(['tracking', 'common']);
  const [draft, setDraft] = useState<PlannedEvent>(event ?? EMPTY);
  const [tried, setTried] = useState(false);
  const properties = draft.properties ?? [];
  const name = draft.name.trim();
  const nameError = name === '' ? t('tracking:plan.needsName') : taken.includes(name) && t('tracking:plan.taken');
  const names = properties.map((each) => each.name.trim());
  const bad = (at: number) =>
    names[at] === '' ? t('tracking:plan.needsName') : names.indexOf(names[at] ?? '') !== at && t('tracking:plan.taken');
  const set = (at: number, part: Partial<PlannedProperty>) =>
    setDraft({ ...draft, properties: properties.map((each, index) => (index === at ? { ...each, ...part } : each)) });
  const save = () => {
    setTried(true);
    if (nameError !== false || properties.some((_, at) => bad(at) !== false)) return;
    onSave({ ...draft, name, properties: properties.map((each) => ({ ...each, name: each.name.trim() })) });
  };
  return (
    <Drawer
      opened
      onClose={onClose}
      title={event === null ? t('tracking:plan.add') : event.name}
      size={760}
      dirty={draft !== (event ?? EMPTY)}
      footer={
        readOnly ? undefined : (
          <>
            {event !== null && (
              <Button kind="danger-subtle" onClick={() => onSave(null)}>
                {t('tracking:plan.remove')}
              </Button>
            )}
            <span className="grow" />
            <Button onClick={onClose}>{t('common:cancel')}</Button>
            <Button kind="primary" onClick={save}>
              {t('tracking:plan.take')}
            </Button>
          </>
        )
      }
    >
      <div className={css.stack}>
        <div className={css.pair}>
          <TextInput
            label={t('tracking:plan.name')}
            required
            readOnly={readOnly}
            value={draft.name}
            onChange={(value) => setDraft({ ...draft, name: value })}
            error={tried && nameError}
          />
          <Select
            label={t('tracking:plan.act')}
            disabled={readOnly}
            value={draft.act ?? 'flag'}
            onChange={(value) => value !== null && setDraft({ ...draft, act: value as PlanAct })}
            options={PLAN_ACTS.map((value) => ({ value, label: t(`tracking:act.${value}`) }))}
          />
        </div>
        <TextInput
          label={t('tracking:plan.note')}
          readOnly={readOnly}
          value={draft.note ?? ''}
          onChange={(value) => setDraft({ ...draft, note: value })}
        />
        <Switch
          label={t('tracking:plan.closed')}
          disabled={readOnly}
          checked={draft.closed ?? false}
          onChange={(closed) => setDraft({ ...draft, closed })}
        />
        <h3>{t('tracking:names.properties')}</h3>
        <p className="muted">{t('tracking:plan.pathHelp')}</p>
        {properties.map((property, at) => (
          <fieldset key={at} className={css.property} disabled={readOnly}>
            <legend className="sr-only">{property.name || t('tracking:plan.property')}</legend>
            <TextInput
              label={t('tracking:plan.property')}
              value={property.name}
              onChange={(value) => set(at, { name: value })}
              error={tried && bad(at)}
            />
            <Select
              label={t('tracking:plan.type')}
              value={property.type ?? 'any'}
              onChange={(value) => value !== null && set(at, { type: value as PropertyType })}
              options={PROPERTY_TYPES.map((value) => ({ value, label: t(`tracking:type.${value}`) }))}
            />
            <TagsInput
              label={t('tracking:plan.values')}
              placeholder={(property.values ?? []).length === 0 ? t('tracking:plan.everyValue') : ''}
              value={property.values ?? []}
              onChange={(values) => set(at, { values })}
            />
            <span className={css.propertyEnd}>
              <Checkbox
                label={t('tracking:plan.required')}
                checked={property.required ?? false}
                onChange={(required) => set(at, { required })}
              />
              {!readOnly && (
                <IconButton
                  icon={<IconTrash size={16} />}
                  label={t('tracking:plan.dropProperty', { name: property.name })}
                  onClick={() => setDraft({ ...draft, properties: properties.filter((_, index) => index !== at) })}
                />
              )}
            </span>
          </fieldset>
        ))}
        {!readOnly && (
          <div>
            <Button
              icon={<IconPlus size={15} />}
              onClick={() =>
                setDraft({
                  ...draft,
                  properties: [...properties, { name: '', type: 'any', required: false, values: [] }],
                })
              }
            >
              {t('tracking:plan.addProperty')}
            </Button>
          </div>
        )}
      </div>
    </Drawer>
  );
}
