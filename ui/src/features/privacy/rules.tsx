import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import {
  BUILTIN_ROLES,
  checkSuppression,
  errorText,
  LAWS,
  type PrivacySettings,
  privacySettingsQuery,
  rolesQuery,
  useSavePrivacySettings,
} from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { findObject, useCan, useObjects } from '@/metadata';
import { Button, confirm, ErrorState, NumberInput, Panel, Select, SkeletonRows, Switch, TextInput, toast } from '@/ui';
import css from './privacy.module.css';

/** What the workspace decided about privacy, and the list of people who were erased. */
export function RulesPart() {
  const { data, error, isPending, refetch } = useQuery(privacySettingsQuery());
  if (isPending) return <SkeletonRows rows={5} />;
  if (data === undefined) return <ErrorState compact error={error} onRetry={() => refetch()} />;
  return (
    <div className={css.narrow}>
      <Decisions key={JSON.stringify(data)} now={data} />
      <Suppressed />
    </div>
  );
}

function Decisions({ now }: { now: PrivacySettings }) {
  const { t } = useTranslation(['privacy', 'settings', 'common']);
  const can = useCan();
  const label = useLabel();
  const roles = useQuery({ ...rolesQuery(), enabled: can('role.manage') }).data?.items ?? [];
  const save = useSavePrivacySettings();
  const [draft, setDraft] = useState(now);
  const named = [
    ...BUILTIN_ROLES.filter((role) => role !== 'readonly').map((role) => ({
      key: role as string,
      name: t(`settings:role.${role}`),
    })),
    ...roles
      .filter((role) => !role.builtin)
      .map((role) => ({
        key: role.key,
        name: label(role.name, role.key),
      })),
  ];
  const submit = async () => {
    try {
      await save.mutateAsync(draft);
      toast.ok(t('common:saved'));
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    }
  };
  return (
    <Panel title={t('privacy:rules.title')}>
      <div className={css.form}>
        <Switch
          label={t('privacy:rules.second')}
          description={t('privacy:rules.secondHelp')}
          checked={draft.second_person}
          onChange={(second_person) => setDraft({ ...draft, second_person })}
        />
        <div className={css.pair}>
          <Select
            label={t('privacy:requests.law')}
            options={LAWS.map((value) => ({ value, label: t(`privacy:law.${value}`) }))}
            value={draft.law}
            onChange={(law) => (law === 'pipl' || law === 'gdpr') && setDraft({ ...draft, law })}
          />
          <NumberInput
            label={t('privacy:rules.days')}
            min={1}
            max={60}
            value={draft.days}
            onChange={(days) => setDraft({ ...draft, days: days ?? draft.days })}
          />
        </div>
        <p className={css.note}>{t('privacy:rules.reveals')}</p>
        <div className={css.limits}>
          {named.map(({ key, name }) => (
            <NumberInput
              key={key}
              label={name}
              min={0}
              max={10_000}
              value={draft.reveals[key] ?? 100}
              onChange={(value) => setDraft({ ...draft, reveals: { ...draft.reveals, [key]: value ?? 100 } })}
            />
          ))}
        </div>
        <div>
          <Button kind="primary" loading={save.isPending} onClick={() => void submit()}>
            {t('common:save')}
          </Button>
        </div>
      </div>
    </Panel>
  );
}

/** Asks whether a value is of somebody who was erased, and lifts that. */
function Suppressed() {
  const { t } = useTranslation(['privacy', 'common']);
  const label = useLabel();
  const objects = useObjects();
  const fields = (findObject(objects, 'customer')?.fields ?? []).filter(
    (field) => (field.personal && field.type !== 'address') || field.unique,
  );
  const [field, setField] = useState<string | null>('phone');
  const [value, setValue] = useState('');
  const [found, setFound] = useState<boolean | null>(null);
  const [busy, setBusy] = useState(false);
  const ask = async (lift: boolean) => {
    if (field === null || value.trim() === '') return;
    setBusy(true);
    try {
      const answer = await checkSuppression({ object: 'customer', field, value: value.trim(), ...(lift && { lift }) });
      setFound(answer.suppressed);
      if (lift) toast.ok(t('privacy:suppressed.lifted'));
    } catch (error) {
      toast.error(t('privacy:suppressed.title'), { detail: errorText(error) });
    } finally {
      setBusy(false);
    }
  };
  const lift = async () => {
    const sure = await confirm({
      title: t('privacy:suppressed.lift'),
      text: t('privacy:suppressed.liftHelp'),
      confirm: t('privacy:suppressed.lift'),
    });
    if (sure) await ask(true);
  };
  return (
    <Panel title={t('privacy:suppressed.title')}>
      <div className={css.form}>
        <p className={css.note}>{t('privacy:suppressed.about')}</p>
        <div className={css.pair}>
          <Select
            label={t('privacy:suppressed.field')}
            options={fields.map((each) => ({ value: each.key, label: label(each.label, each.key) }))}
            value={field}
            onChange={(next) => {
              setField(next);
              setFound(null);
            }}
          />
          <TextInput
            label={t('privacy:suppressed.value')}
            autoComplete="off"
            value={value}
            onChange={(text) => {
              setValue(text);
              setFound(null);
            }}
            onEnter={() => void ask(false)}
          />
        </div>
        <div className={css.head} aria-live="polite">
          <Button loading={busy} disabled={value.trim() === ''} onClick={() => void ask(false)}>
            {t('privacy:suppressed.look')}
          </Button>
          {found === false && <span className="muted">{t('privacy:suppressed.no')}</span>}
          {found === true && (
            <>
              <span>{t('privacy:suppressed.yes')}</span>
              <Button onClick={() => void lift()}>{t('privacy:suppressed.lift')}</Button>
            </>
          )}
        </div>
      </div>
    </Panel>
  );
}
