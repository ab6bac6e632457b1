import { type ReactNode, useState } from 'react';
import {
  type EventSource,
  isApiError,
  SOURCE_TYPES,
  type SourceInput,
  type SourceMapping,
  type SourceType,
} from '@/api';
import { useTranslation } from '@/i18n';
import { Button, NumberInput, Panel, RadioGroup, Select, Switch, TagsInput, TextInput } from '@/ui';
import css from './settings.module.css';
import { MappingEditor, STANDARD_MAPPING } from './sources-mapping';
import { openKey } from './sources-state';

interface Props {
  source?: EventSource;
  error: unknown;
  saving: boolean;
  onSave: (input: Partial<SourceInput>) => void;
  cancel: ReactNode;
}

/** Name, kind, and what is decided about a source; for a new one and for an old one. */
export function SourceForm({ source, error, saving, onSave, cancel }: Props) {
  const { t } = useTranslation(['sources', 'common']);
  const [name, setName] = useState(source?.name ?? '');
  const [type, setType] = useState<SourceType>(source?.type ?? 'web');
  const [origins, setOrigins] = useState<string[]>(source?.origins ?? []);
  const [rate, setRate] = useState<number | null>(source?.per_second || null);
  const [days, setDays] = useState<number | null>(source?.retention_days || null);
  const [consent, setConsent] = useState<EventSource['consent']>(source?.consent ?? '');
  const [located, setLocated] = useState(source?.located ?? true);
  const [orders, setOrders] = useState(source !== undefined && openKey(source.type) && source.orders);
  const [mapping, setMapping] = useState<SourceMapping>(source?.mapping ?? STANDARD_MAPPING);
  const [tried, setTried] = useState(false);
  const fault = (field: string) => (isApiError(error) ? error.at(field) : undefined);
  const whole = isApiError(error) && error.fields.length === 0 ? error.message : null;
  const submit = () => {
    setTried(true);
    if (name.trim() === '') return;
    onSave({
      name: name.trim(),
      ...(source === undefined && { type }),
      ...(type === 'web' && { origins }),
      ...(type === 'webhook' && { mapping }),
      per_second: rate ?? 0,
      retention_days: days ?? 0,
      consent,
      ...(type !== 'webhook' && { located }),
      ...(openKey(type) && { orders }),
    });
  };
  return (
    <div className={css.wideForm}>
      <Panel title={t('sources:form.what')}>
        <div className={css.form}>
          <TextInput
            label={t('sources:name')}
            placeholder={t('sources:namePlaceholder')}
            required
            autoFocus={source === undefined}
            maxLength={100}
            value={name}
            onChange={setName}
            error={fault('name') ?? (tried && name.trim() === '' ? t('sources:form.nameNeeded') : undefined)}
          />
          {source === undefined && (
            <RadioGroup
              label={t('sources:typeLabel')}
              value={type}
              onChange={setType}
              options={SOURCE_TYPES.map((each) => ({
                value: each,
                label: t(`sources:type.${each}`),
                description: t(`sources:typeHelp.${each}`),
              }))}
            />
          )}
          {type === 'web' && (
            <TagsInput
              label={t('sources:origins')}
              description={t('sources:originsHelp')}
              placeholder="https://shop.example"
              value={origins}
              onChange={setOrigins}
              error={fault('origins')}
            />
          )}
        </div>
      </Panel>
      {type !== 'webhook' && (
        <Panel title={t('sources:form.trust')}>
          <div className={css.form}>
            <Switch
              label={t('sources:located')}
              description={t('sources:locatedHelp')}
              checked={located}
              onChange={setLocated}
            />
            <p className="muted">
              <a href="https://db-ip.com" target="_blank" rel="noreferrer">
                {t('sources:credit')}
              </a>
            </p>
            {openKey(type) && (
              <Switch
                label={t('sources:orders')}
                description={t('sources:ordersHelp')}
                checked={orders}
                onChange={setOrders}
              />
            )}
          </div>
        </Panel>
      )}
      {type === 'webhook' && <MappingEditor mapping={mapping} onChange={setMapping} fault={fault} />}
      <Panel title={t('sources:form.limits')}>
        <div className={css.form}>
          <NumberInput
            label={t('sources:rate')}
            description={t('sources:rateHelp', { standard: source?.standard_per_second ?? 5000 })}
            min={1}
            max={100_000}
            value={rate}
            onChange={setRate}
            error={fault('per_second')}
          />
          <NumberInput
            label={t('sources:retention')}
            description={t('sources:retentionHelp')}
            min={1}
            max={36_500}
            value={days}
            onChange={setDays}
            error={fault('retention_days')}
          />
          <Select
            label={t('sources:consent.label')}
            value={consent}
            onChange={(next) => setConsent(next === 'anonymous' || next === 'drop' ? next : '')}
            options={['', 'anonymous', 'drop'].map((each) => ({
              value: each,
              label: t(`sources:consent.${each || 'none'}`),
            }))}
            error={fault('consent')}
          />
        </div>
      </Panel>
      {whole !== null && (
        <p className={css.bad} role="alert">
          {whole}
        </p>
      )}
      <div className="row">
        <Button kind="primary" loading={saving} onClick={submit}>
          {source === undefined ? t('common:create') : t('common:save')}
        </Button>
        {cancel}
      </div>
    </div>
  );
}
