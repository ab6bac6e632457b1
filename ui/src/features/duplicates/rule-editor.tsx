import { IconFlask, IconPlus, IconTrash, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import {
  type DuplicateMethod,
  type DuplicatePart,
  type DuplicateRule,
  type DuplicateRules,
  type DuplicateTrial,
  errorText,
  type ObjectType,
  tryDuplicateRule,
} from '@/api';
import { useFormat, useLabel, useLanguage, useTranslation } from '@/i18n';
import { Reasons } from '@/records/duplicates/match-list';
import {
  Button,
  Checkbox,
  IconButton,
  NumberInput,
  Panel,
  SegmentedControl,
  Select,
  Switch,
  TextInput,
  toast,
} from '@/ui';
import css from './duplicates.module.css';

interface Props {
  object: ObjectType;
  rule: DuplicateRule;
  fields: DuplicateRules['fields'];
  editable: boolean;
  errorAt: (place: string) => string | undefined;
  onChange: (rule: DuplicateRule) => void;
  onRemove: () => void;
}

const WHEN = ['create', 'import', 'show', 'bulk'] as const;
const EXACT: readonly DuplicateMethod[] = ['exact', 'place'];

export function RuleEditor({ object, rule, fields, editable, errorAt, onChange, onRemove }: Props) {
  const { t } = useTranslation(['duplicates', 'common']);
  const label = useLabel();
  const language = useLanguage();
  const fmt = useFormat();
  const [trial, setTrial] = useState<DuplicateTrial | null>(null);
  const [busy, setBusy] = useState(false);
  const name = label(rule.label, rule.key);
  const set = (change: Partial<DuplicateRule>) => onChange({ ...rule, ...change });
  const setPart = (at: number, change: Partial<DuplicatePart>) =>
    set({ parts: rule.parts.map((part, index) => (index === at ? { ...part, ...change } : part)) });
  const off = { disabled: !editable };
  const run = async () => {
    setBusy(true);
    try {
      setTrial(await tryDuplicateRule(object.key, rule));
    } catch (error) {
      toast.error(t('common:failed.title'), { detail: errorText(error) });
    } finally {
      setBusy(false);
    }
  };
  const title = (id: string) => {
    const record = trial?.records.find((one) => one.id === id);
    return record?.title || id;
  };
  const summary = (found: DuplicateTrial) => {
    const scanned = fmt.number(found.scanned);
    if (found.count === 0) return t('duplicates:rules.triedNone', { scanned });
    return t(found.partial ? 'duplicates:rules.tried' : 'duplicates:rules.triedAll', { scanned, count: found.count });
  };
  return (
    <Panel
      title={name}
      aside={
        <>
          <Switch
            {...off}
            checked={rule.enabled}
            onChange={(enabled) => set({ enabled })}
            label={t('duplicates:rules.enabled')}
          />
          {editable && (
            <IconButton
              label={t('duplicates:rules.remove', { name })}
              icon={<IconTrash size={15} />}
              onClick={onRemove}
            />
          )}
        </>
      }
    >
      <div className={css.rule}>
        <TextInput
          {...off}
          label={t('duplicates:rules.name')}
          value={name}
          error={errorAt('label')}
          onChange={(text) => set({ label: { ...rule.label, [language]: text } })}
        />
        {rule.parts.map((part, at) => {
          const known = fields.find((field) => field.field === part.field);
          return (
            <div key={at} className={css.part}>
              <Select
                {...off}
                label={t('duplicates:rules.field')}
                value={part.field}
                error={errorAt(`parts.${at}.field`)}
                searchable
                onChange={(field) => {
                  const methods = fields.find((one) => one.field === field)?.methods ?? [];
                  if (field !== null) setPart(at, { field, method: methods[0] ?? 'exact' });
                }}
                options={fields.map((field) => ({ value: field.field, label: label(field.label, field.field) }))}
              />
              <Select
                {...off}
                label={t('duplicates:rules.method')}
                value={part.method}
                error={errorAt(`parts.${at}.method`)}
                onChange={(method) => method !== null && setPart(at, { method: method as DuplicateMethod })}
                options={(known?.methods ?? [part.method]).map((method) => ({
                  value: method,
                  label: t(`duplicates:method.${method}`),
                }))}
              />
              <NumberInput
                disabled={!editable || EXACT.includes(part.method)}
                label={t('duplicates:rules.least')}
                value={part.least}
                min={0}
                max={100}
                suffix="%"
                error={errorAt(`parts.${at}.least`)}
                onChange={(least) => setPart(at, { least: least ?? 0 })}
              />
              <NumberInput
                {...off}
                label={t('duplicates:rules.weight')}
                value={part.weight}
                min={1}
                max={100}
                error={errorAt(`parts.${at}.weight`)}
                onChange={(weight) => setPart(at, { weight: weight ?? 1 })}
              />
              <Checkbox
                {...off}
                checked={part.needed}
                onChange={(needed) => setPart(at, { needed })}
                label={t('duplicates:rules.needed')}
              />
              {editable && rule.parts.length > 1 && (
                <IconButton
                  label={t('duplicates:rules.removePart')}
                  icon={<IconX size={14} />}
                  onClick={() => set({ parts: rule.parts.filter((_, index) => index !== at) })}
                />
              )}
            </div>
          );
        })}
        {errorAt('parts') !== undefined && <span role="alert">{errorAt('parts')}</span>}
        {editable && (
          <div>
            <Button
              kind="subtle"
              icon={<IconPlus size={15} />}
              onClick={() => {
                const next =
                  fields.find((field) => !rule.parts.some((part) => part.field === field.field)) ?? fields[0];
                if (next !== undefined)
                  set({
                    parts: [
                      ...rule.parts,
                      { field: next.field, method: next.methods[0] ?? 'exact', needed: false, least: 90, weight: 1 },
                    ],
                  });
              }}
            >
              {t('duplicates:rules.addPart')}
            </Button>
          </div>
        )}
        <div className={css.row}>
          <div className={css.number}>
            <NumberInput
              {...off}
              label={t('duplicates:rules.threshold')}
              value={rule.threshold}
              min={1}
              max={100}
              suffix="%"
              error={errorAt('threshold')}
              onChange={(threshold) => set({ threshold: threshold ?? 1 })}
            />
          </div>
          {WHEN.map((when) => (
            <Checkbox
              key={when}
              {...off}
              checked={rule[when]}
              onChange={(on) => set({ [when]: on })}
              label={t(`duplicates:rules.${when}`)}
            />
          ))}
        </div>
        <div className={css.row}>
          <span className="muted">{t('duplicates:rules.action')}</span>
          <SegmentedControl
            {...off}
            label={t('duplicates:rules.action')}
            value={rule.action}
            onChange={(action) => set({ action })}
            options={(['warn', 'block'] as const).map((value) => ({ value, label: t(`duplicates:rules.${value}`) }))}
          />
          <Checkbox
            {...off}
            checked={rule.sure}
            onChange={(sure) => set({ sure })}
            label={t('duplicates:rules.sure')}
          />
          {editable && (
            <Button icon={<IconFlask size={15} />} loading={busy} onClick={() => void run()}>
              {t('duplicates:rules.try')}
            </Button>
          )}
        </div>
        {trial !== null && (
          <div className={css.trial} role="status">
            <strong>{summary(trial)}</strong>
            <ul className={css.pairs}>
              {trial.pairs.map((pair) => (
                <li key={`${pair.a}/${pair.b}`}>
                  {title(pair.a)} {'\u2194'} {title(pair.b)}
                  <Reasons reasons={pair.reasons} />
                </li>
              ))}
            </ul>
          </div>
        )}
      </div>
    </Panel>
  );
}
