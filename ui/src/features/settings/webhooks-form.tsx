import { IconPlus, IconTrash } from '@tabler/icons-react';
import { type ReactNode, useRef, useState } from 'react';
import { isApiError, type Webhook, type WebhookInput } from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, Checkbox, IconButton, Panel, PasswordInput, TextInput } from '@/ui';
import css from './settings.module.css';
import own from './webhooks.module.css';
import { type RuleDraft, RuleEditor } from './webhooks-rule';

interface HeaderDraft {
  id: number;
  name: string;
  value: string;
  /** There already: an empty value keeps the stored one. */
  stored: boolean;
}

const SMALLEST_RULE = { object: 'customer', kinds: ['created', 'updated'], where: null, complete: true, fields: [] };

const faultsAt = (error: unknown, prefix: string) =>
  isApiError(error)
    ? error.fields
        .filter(({ location }) => location === prefix || location.startsWith(`${prefix}.`))
        .map(({ location, message }) => ({ location: location.slice(prefix.length + 1), message }))
    : [];

interface Props {
  hook?: Webhook;
  error: unknown;
  saving: boolean;
  onSave: (input: WebhookInput) => void;
  cancel: ReactNode;
}

/** Name, address, events, headers and whether personal values go out in clear; for a new webhook and for an old one. */
export function WebhookForm({ hook, error, saving, onSave, cancel }: Props) {
  const { t } = useTranslation(['webhooks', 'common']);
  const can = useCan();
  const next = useRef(1000);
  const [name, setName] = useState(hook?.name ?? '');
  const [url, setUrl] = useState(hook?.url ?? '');
  const [reveal, setReveal] = useState(hook?.reveal ?? false);
  const [tried, setTried] = useState(false);
  const [rules, setRules] = useState<RuleDraft[]>(
    () =>
      hook?.rules.map((rule, id) => ({ ...rule, id, complete: true })) ?? [{ ...SMALLEST_RULE, id: 0 } as RuleDraft],
  );
  const [headers, setHeaders] = useState<HeaderDraft[]>(
    () => hook?.headers.map((each, id) => ({ id, name: each, value: '', stored: true })) ?? [],
  );
  const fault = (field: string) => (isApiError(error) ? error.at(field) : undefined);
  const whole = isApiError(error) && error.fields.length === 0 ? error.message : null;
  const headerFaults = faultsAt(error, 'headers');
  const noKinds = rules.some((rule) => rule.kinds.length === 0);
  const submit = () => {
    setTried(true);
    if (name.trim() === '' || url.trim() === '' || noKinds || rules.some((rule) => !rule.complete)) return;
    onSave({
      name: name.trim(),
      url: url.trim(),
      reveal,
      rules: rules.map(({ object, kinds, where, fields }) => ({
        object,
        kinds,
        fields: kinds.includes('updated') ? fields : [],
        ...(where !== null && { where }),
      })),
      headers: Object.fromEntries(
        headers
          .filter((each) => each.name.trim() !== '')
          .map((each) => [each.name.trim(), each.stored && each.value === '' ? null : each.value]),
      ),
    });
  };
  const setHeader = (changed: HeaderDraft) =>
    setHeaders((old) => old.map((each) => (each.id === changed.id ? changed : each)));
  return (
    <div className={css.wideForm}>
      <Panel title={t('webhooks:form.where')}>
        <div className={css.form}>
          <TextInput
            label={t('webhooks:name')}
            placeholder={t('webhooks:namePlaceholder')}
            required
            autoFocus={hook === undefined}
            maxLength={100}
            value={name}
            onChange={setName}
            error={fault('name') ?? (tried && name.trim() === '' ? t('webhooks:form.nameNeeded') : undefined)}
          />
          <TextInput
            label={t('webhooks:url')}
            description={t('webhooks:urlHelp')}
            type="url"
            placeholder="https://example.com/hooks/guanxi"
            required
            value={url}
            onChange={setUrl}
            error={fault('url') ?? (tried && url.trim() === '' ? t('webhooks:form.urlNeeded') : undefined)}
          />
        </div>
      </Panel>
      <Panel title={t('webhooks:form.what')}>
        <div className={css.form}>
          {rules.map((rule, at) => (
            <RuleEditor
              key={rule.id}
              rule={rule}
              tried={tried}
              faults={[
                ...faultsAt(error, `rules.${at}`),
                ...(tried && rule.kinds.length === 0
                  ? [{ location: 'kinds', message: t('webhooks:form.kindsNeeded') }]
                  : []),
              ]}
              onChange={(changed) => setRules((old) => old.map((each) => (each.id === changed.id ? changed : each)))}
              onRemove={
                rules.length > 1 ? () => setRules((old) => old.filter((each) => each.id !== rule.id)) : undefined
              }
            />
          ))}
          <div>
            <Button
              icon={<IconPlus size={15} />}
              onClick={() => setRules((old) => [...old, { ...SMALLEST_RULE, id: next.current++ } as RuleDraft])}
            >
              {t('webhooks:rule.add')}
            </Button>
          </div>
        </div>
      </Panel>
      <Panel title={t('webhooks:form.how')}>
        <div className={css.form}>
          <Checkbox
            label={t('webhooks:reveal')}
            description={t('webhooks:revealHelp')}
            checked={reveal}
            disabled={!can('personal.reveal')}
            onChange={setReveal}
          />
          <div>
            <div>{t('webhooks:headers')}</div>
            <p className="muted">{t('webhooks:headersHelp')}</p>
          </div>
          {headers.map((each) => (
            <div key={each.id} className={own.header}>
              <TextInput
                aria-label={t('webhooks:headerName')}
                placeholder="Authorization"
                value={each.name}
                disabled={each.stored}
                onChange={(value) => setHeader({ ...each, name: value })}
                error={headerFaults.find(({ location }) => location === each.name.trim())?.message}
              />
              <PasswordInput
                aria-label={t('webhooks:headerValue')}
                placeholder={each.stored ? t('webhooks:headerKept') : t('webhooks:headerValue')}
                autoComplete="new-password"
                toggleLabel={t('webhooks:headerShow')}
                value={each.value}
                onChange={(value) => setHeader({ ...each, value })}
              />
              <IconButton
                label={t('webhooks:headerRemove', { name: each.name })}
                icon={<IconTrash size={16} />}
                onClick={() => setHeaders((old) => old.filter((other) => other.id !== each.id))}
              />
            </div>
          ))}
          <div>
            <Button
              icon={<IconPlus size={15} />}
              onClick={() => setHeaders((old) => [...old, { id: next.current++, name: '', value: '', stored: false }])}
            >
              {t('webhooks:headerAdd')}
            </Button>
          </div>
        </div>
      </Panel>
      {whole !== null && (
        <p className={css.bad} role="alert">
          {whole}
        </p>
      )}
      <div className="row">
        <Button kind="primary" loading={saving} onClick={submit}>
          {hook === undefined ? t('common:create') : t('common:save')}
        </Button>
        {cancel}
      </div>
    </div>
  );
}
