import { IconArrowDown, IconArrowUp, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { consentPolicyQuery, type FormConsent, type FormField, formInputsQuery } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Checkbox, IconButton, MultiSelect, Panel, Select, TextInput } from '@/ui';
import type { EditProps } from './form-edit';
import css from './forms.module.css';

/** The fields that are asked for, in the order of the page. */
export function Fields({ plan, locale, onPlan, faults, disabled }: EditProps) {
  const { t } = useTranslation(['forms', 'common']);
  const label = useLabel();
  const inputs = useQuery(formInputsQuery()).data?.items ?? [];
  const nameOf = (key: string) => {
    const found = inputs.find((one) => one.key === key);
    return found === undefined ? key : label(found.label);
  };
  const put = (fields: FormField[]) => onPlan({ fields });
  const change = (at: number, part: Partial<FormField>) =>
    put(plan.fields.map((one, index) => (index === at ? { ...one, ...part } : one)));
  const move = (at: number, by: number) => {
    const next = [...plan.fields];
    const [one] = next.splice(at, 1);
    if (one !== undefined) next.splice(at + by, 0, one);
    put(next);
  };
  const fault = faults.at('plan.fields');
  return (
    <Panel title={t('forms:part.fields')}>
      <div className={css.form}>
        <p className="muted">{t('forms:hint.fields')}</p>
        {plan.fields.map((field, at) => (
          <div key={field.key} className={css.part}>
            <div className={css.head}>
              <span>{nameOf(field.key)}</span>
              <Checkbox
                label={t('forms:required')}
                checked={field.required}
                disabled={disabled}
                onChange={(required) => change(at, { required })}
              />
              {!disabled && (
                <>
                  <IconButton
                    label={t('forms:up', { name: nameOf(field.key) })}
                    icon={<IconArrowUp size={15} />}
                    disabled={at === 0}
                    onClick={() => move(at, -1)}
                  />
                  <IconButton
                    label={t('forms:down', { name: nameOf(field.key) })}
                    icon={<IconArrowDown size={15} />}
                    disabled={at === plan.fields.length - 1}
                    onClick={() => move(at, 1)}
                  />
                  <IconButton
                    label={t('forms:remove', { name: nameOf(field.key) })}
                    icon={<IconTrash size={15} />}
                    onClick={() => put(plan.fields.filter((_, index) => index !== at))}
                  />
                </>
              )}
            </div>
            <TextInput
              label={t('forms:label', { name: nameOf(field.key), language: t(`forms:locales.${locale}`) })}
              placeholder={nameOf(field.key)}
              disabled={disabled}
              value={field.label[locale] ?? ''}
              onChange={(text) => change(at, { label: { ...field.label, [locale]: text } })}
            />
          </div>
        ))}
        {!disabled && (
          <Select
            label={t('forms:addField')}
            searchable
            value={null}
            onChange={(key) => key !== null && put([...plan.fields, { key, required: false, label: {} }])}
            options={inputs
              .filter((one) => !plan.fields.some((field) => field.key === one.key))
              .map((one) => ({ value: one.key, label: label(one.label) }))}
            error={fault}
          />
        )}
      </div>
    </Panel>
  );
}

/** The consents that are asked for, with the words in force. */
export function Consents({ plan, locale, onPlan, faults, disabled }: EditProps) {
  const { t } = useTranslation(['forms', 'consent']);
  const label = useLabel();
  const can = useCan();
  const policy = useQuery({ ...consentPolicyQuery(), enabled: can('consent.read') }).data;
  const open = (policy?.purposes ?? []).filter(
    (one) => !one.retired && (one.basis === 'consent' || one.basis === 'interest'),
  );
  const put = (consents: FormConsent[]) => onPlan({ consents });
  const now = Date.now();
  /** The words in force: of those that began, the last. */
  const wording = (purpose: string) =>
    (policy?.wordings ?? [])
      .filter((one) => one.purpose === purpose && Date.parse(one.valid_from) <= now)
      .sort((a, b) => Date.parse(b.valid_from) - Date.parse(a.valid_from) || b.number - a.number)[0];
  return (
    <Panel title={t('forms:part.consents')}>
      <div className={css.form}>
        <p className="muted">{t('forms:hint.consents')}</p>
        {!can('consent.read') && <p className="muted">{t('forms:noPolicy')}</p>}
        {plan.consents.map((one, at) => {
          const purpose = open.find((each) => each.key === one.purpose);
          const name = purpose === undefined ? one.purpose : label(purpose.label);
          const words = wording(one.purpose);
          const change = (part: Partial<FormConsent>) =>
            put(plan.consents.map((each, index) => (index === at ? { ...each, ...part } : each)));
          return (
            <div key={one.purpose} className={css.part}>
              <div className={css.head}>
                <span>{name}</span>
                <Checkbox
                  label={t('forms:mustAgree')}
                  checked={one.required}
                  disabled={disabled}
                  onChange={(required) => change({ required })}
                />
                {!disabled && (
                  <IconButton
                    label={t('forms:remove', { name })}
                    icon={<IconTrash size={15} />}
                    onClick={() => put(plan.consents.filter((_, index) => index !== at))}
                  />
                )}
              </div>
              <MultiSelect
                label={t('forms:channels', { name })}
                disabled={disabled}
                value={one.channels}
                onChange={(channels) => change({ channels })}
                options={(purpose?.channels ?? one.channels).map((channel) => ({
                  value: channel,
                  label: t(`consent:channel.${channel}`),
                }))}
              />
              {policy !== undefined &&
                (words === undefined ? (
                  <p role="alert">{t('forms:noWording', { name })}</p>
                ) : (
                  <>
                    <p className="muted">{t('forms:wording', { number: words.number })}</p>
                    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long words scroll, and must be reachable by keyboard */}
                    <section className={css.words} aria-label={t('forms:wordingOf', { name })} tabIndex={0}>
                      {words.text[locale]}
                    </section>
                  </>
                ))}
            </div>
          );
        })}
        {!disabled && open.length > plan.consents.length && (
          <Select
            label={t('forms:addConsent')}
            value={null}
            onChange={(key) => {
              const purpose = open.find((one) => one.key === key);
              if (purpose === undefined) return;
              const reach = purpose.channels.filter((one) => one === 'email' || one === 'sms' || one === 'any');
              put([
                ...plan.consents,
                {
                  purpose: purpose.key,
                  channels: reach.length > 0 ? reach : purpose.channels.slice(0, 1),
                  required: false,
                },
              ]);
            }}
            options={open
              .filter((one) => !plan.consents.some((each) => each.purpose === one.key))
              .map((one) => ({ value: one.key, label: label(one.label) }))}
            error={faults.at('plan.consents')}
          />
        )}
      </div>
    </Panel>
  );
}
