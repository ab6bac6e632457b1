import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import type { ConsentPolicy, ConsentPurpose } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, MultiSelect, NumberInput, Pill, Select, Switch, Textarea, TextInput } from '@/ui';
import css from './consent-settings.module.css';
import { SaveBar } from './save-bar';
import { usePolicy } from './use-policy';

const BASES: readonly ConsentPurpose['basis'][] = ['consent', 'contract', 'legal', 'interest'];
const MOST = 12;

/** What data is used for. A purpose stays, since the ledger speaks of it; it can be retired. */
export function Purposes({ policy }: { policy: ConsentPolicy }) {
  const { t } = useTranslation('consent');
  const can = useCan();
  const { draft, setDraft, busy, save, dirty, reset, errorAt } = usePolicy(policy);
  const [open, setOpen] = useState<number | null>(null);
  const may = can('consent.manage');
  const put = (at: number, change: Partial<ConsentPurpose>) =>
    setDraft({
      ...draft,
      purposes: draft.purposes.map((each, index) => (index === at ? { ...each, ...change } : each)),
    });
  const add = () => {
    setOpen(draft.purposes.length);
    const fresh: ConsentPurpose = {
      key: '',
      label: {},
      description: {},
      basis: 'consent',
      channels: ['any'],
      fail_closed: true,
      minor: '',
      months: 0,
      confirm: false,
      retired: false,
    };
    setDraft({ ...draft, purposes: [...draft.purposes, fresh] });
  };
  return (
    <>
      <ul className={css.list}>
        {draft.purposes.map((purpose, at) => (
          <li key={at} className={css.item} data-off={purpose.retired || undefined}>
            <Head purpose={purpose} open={open === at} onToggle={() => setOpen(open === at ? null : at)} />
            {open === at && (
              <Editor
                purpose={purpose}
                channels={policy.channels}
                fresh={at >= policy.purposes.length}
                may={may}
                errorAt={(name) => errorAt(`purposes.${purpose.key}${name === '' ? '' : `.${name}`}`)}
                onChange={(change) => put(at, change)}
              />
            )}
          </li>
        ))}
      </ul>
      {may && (
        <div className={css.bar}>
          <Button icon={<IconPlus size={16} />} disabled={draft.purposes.length >= MOST} onClick={add}>
            {t('consent:settings.new')}
          </Button>
          <span className={css.grow} />
          <SaveBar dirty={dirty} busy={busy} onSave={() => void save()} onReset={reset} />
        </div>
      )}
    </>
  );
}

function Head({ purpose, open, onToggle }: { purpose: ConsentPurpose; open: boolean; onToggle: () => void }) {
  const { t } = useTranslation('consent');
  const label = useLabel();
  return (
    <div className={css.head}>
      <h3>{label(purpose.label, purpose.key || t('consent:settings.new'))}</h3>
      <span className={css.small}>{t(`consent:settings.basisName.${purpose.basis}`)}</span>
      {purpose.fail_closed && <Pill color="gray">{t('consent:settings.failClosed')}</Pill>}
      {purpose.retired && <Pill color="orange">{t('consent:settings.retired')}</Pill>}
      <span className={css.grow} />
      <span className={css.small}>
        {purpose.channels.map((channel) => t(`consent:channel.${channel}`)).join(' \u00b7 ')}
      </span>
      <Button kind="subtle" aria-expanded={open} onClick={onToggle}>
        {t('consent:settings.details')}
      </Button>
    </div>
  );
}

interface EditorProps {
  purpose: ConsentPurpose;
  channels: readonly string[];
  fresh: boolean;
  may: boolean;
  errorAt: (name: string) => string | undefined;
  onChange: (change: Partial<ConsentPurpose>) => void;
}

function Editor({ purpose, channels, fresh, may, errorAt, onChange }: EditorProps) {
  const { t } = useTranslation('consent');
  const word = (of: 'label' | 'description', language: string, value: string) =>
    onChange({ [of]: { ...purpose[of], [language]: value } });
  return (
    <div className={css.form}>
      {fresh && (
        <TextInput
          label={t('consent:settings.key')}
          description={t('consent:settings.keyText')}
          value={purpose.key}
          disabled={!may}
          onChange={(key) => onChange({ key })}
          error={errorAt('')}
        />
      )}
      <TextInput
        label={t('consent:settings.nameZh')}
        value={purpose.label['zh-CN'] ?? ''}
        disabled={!may}
        onChange={(value) => word('label', 'zh-CN', value)}
        error={errorAt('label')}
      />
      <TextInput
        label={t('consent:settings.nameEn')}
        value={purpose.label.en ?? ''}
        disabled={!may}
        onChange={(value) => word('label', 'en', value)}
        error={errorAt('label')}
      />
      <Textarea
        label={t('consent:settings.aboutZh')}
        minRows={1}
        value={purpose.description['zh-CN'] ?? ''}
        disabled={!may}
        onChange={(value) => word('description', 'zh-CN', value)}
        error={errorAt('description')}
      />
      <Textarea
        label={t('consent:settings.aboutEn')}
        minRows={1}
        value={purpose.description.en ?? ''}
        disabled={!may}
        onChange={(value) => word('description', 'en', value)}
        error={errorAt('description')}
      />
      <Select
        label={t('consent:settings.basis')}
        value={purpose.basis}
        disabled={!may}
        onChange={(value) => {
          const basis = (value as ConsentPurpose['basis'] | null) ?? 'consent';
          onChange({ basis, ...(basis === 'consent' && { fail_closed: true }) });
        }}
        options={BASES.map((value) => ({ value, label: t(`consent:settings.basisName.${value}`) }))}
        error={errorAt('basis')}
      />
      <MultiSelect
        label={t('consent:channels')}
        value={purpose.channels}
        disabled={!may}
        onChange={(next) => onChange({ channels: next })}
        options={channels.map((value) => ({ value, label: t(`consent:channel.${value}`) }))}
        error={errorAt('channels')}
      />
      <Select
        label={t('consent:settings.minor')}
        value={purpose.minor || 'all'}
        disabled={!may}
        onChange={(value) => onChange({ minor: value === 'guardian' || value === 'never' ? value : '' })}
        options={['all', 'guardian', 'never'].map((value) => ({
          value,
          label: t(`consent:settings.minorName.${value}`),
        }))}
      />
      <NumberInput
        label={t('consent:settings.months')}
        description={t('consent:settings.monthsText')}
        value={purpose.months}
        disabled={!may}
        min={0}
        max={120}
        onChange={(value) => onChange({ months: value ?? 0 })}
        error={errorAt('months')}
      />
      <Switch
        label={t('consent:settings.failClosed')}
        description={t('consent:settings.failClosedText')}
        checked={purpose.fail_closed}
        disabled={!may || purpose.basis === 'consent'}
        onChange={(value) => onChange({ fail_closed: value })}
      />
      <Switch
        label={t('consent:settings.confirm')}
        description={t('consent:settings.confirmText')}
        checked={purpose.confirm}
        disabled={!may || !purpose.channels.includes('email')}
        onChange={(value) => onChange({ confirm: value })}
      />
      <Switch
        label={t('consent:settings.retired')}
        description={t('consent:settings.retiredText')}
        checked={purpose.retired}
        disabled={!may}
        onChange={(value) => onChange({ retired: value })}
      />
    </div>
  );
}
