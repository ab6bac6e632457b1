import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { churnPreviewQuery, errorText, type Model, modelQuery, useConfigureModel, useFitModel } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, ButtonLink, ErrorState, NumberInput, Panel, RadioGroup, SkeletonRows, toast } from '@/ui';
import { Stack } from '@/ui/figures';
import css from './churn.module.css';

const RHYTHM = ['factor', 'least', 'most'] as const;
const FIXED = ['days'] as const;
const BANDS = ['high', 'medium'] as const;

function Would({ options }: { options: Record<string, unknown> }) {
  const { t } = useTranslation('churn');
  const fmt = useFormat();
  const { data, error } = useQuery(churnPreviewQuery(options));
  if (data === undefined) return error === null ? <SkeletonRows rows={1} /> : <p role="alert">{errorText(error)}</p>;
  const all = data.active + data.lost;
  if (all === 0) return <p className={css.would}>{t('churn:definition.nobody')}</p>;
  return (
    <p className={css.would} aria-live="polite">
      <span>
        {t('churn:definition.active', { total: fmt.number(data.active), share: fmt.percent(data.active / all, 1) })}
      </span>
      <span>
        {t('churn:definition.lost', { total: fmt.number(data.lost), share: fmt.percent(data.lost / all, 1) })}
      </span>
      <span>
        {t('churn:definition.limits', {
          typical: fmt.number(data.typical),
          low: fmt.number(data.limits[0]),
          middle: fmt.number(data.limits[1]),
          high: fmt.number(data.limits[2]),
        })}
      </span>
    </p>
  );
}

function Form({ model }: { model: Model }) {
  const { t } = useTranslation('churn');
  const may = useCan()('classification.write');
  const configure = useConfigureModel();
  const fit = useFitModel();
  const [values, setValues] = useState<Record<string, unknown>>(() =>
    Object.fromEntries(model.options.map((option) => [option.key, option.value])),
  );
  const changed = model.options.some((option) => option.value !== values[option.key]);
  const option = (key: string) => model.options.find((one) => one.key === key);
  const set = (key: string, value: unknown) => setValues((before) => ({ ...before, [key]: value }));
  const numbers = (keys: readonly string[]) =>
    keys.flatMap((key) => {
      const one = option(key);
      if (one === undefined) return [];
      return (
        <NumberInput
          key={key}
          label={one.label}
          description={one.help}
          value={Number(values[key])}
          disabled={!may}
          onChange={(next) => next !== null && set(key, next)}
          {...(one.min !== undefined && { min: one.min })}
          {...(one.max !== undefined && { max: one.max })}
        />
      );
    });
  const save = () => {
    const options = Object.fromEntries(
      model.options.filter((one) => one.set || values[one.key] !== one.value).map((one) => [one.key, values[one.key]]),
    );
    configure.mutate(
      { key: model.key, setting: { edition: model.edition, off: model.off, refit: model.refit, options } },
      {
        onSuccess: () => {
          toast.ok(t('churn:definition.saved'));
          fit.mutate(model.key);
        },
      },
    );
  };
  const definition = option('definition');
  return (
    <Panel title={t('churn:definition.title')}>
      <p className={css.text}>{t('churn:definition.means')}</p>
      <div className={css.form}>
        {definition?.choices !== undefined && (
          <RadioGroup
            label={definition.label}
            value={String(values.definition)}
            onChange={(next) => may && set('definition', next)}
            options={definition.choices.map((one) => ({ value: one.key, label: one.label }))}
          />
        )}
        <div className={css.pair}>{numbers(values.definition === 'days' ? FIXED : RHYTHM)}</div>
        {may && <Would options={values} />}
        <div className={css.pair}>{numbers(BANDS)}</div>
        {configure.error !== null && <p role="alert">{errorText(configure.error)}</p>}
        <div className={css.head}>
          {may && (
            <Button
              kind="primary"
              disabled={!changed}
              loading={configure.isPending || fit.isPending || model.running}
              onClick={save}
            >
              {t('churn:definition.save')}
            </Button>
          )}
          <ButtonLink kind="subtle" to="/models/$key" params={{ key: model.key }}>
            {t('churn:definition.model')}
          </ButtonLink>
        </div>
        <p className={css.means}>{t('churn:definition.contract')}</p>
      </div>
    </Panel>
  );
}

/** When somebody counts as lost, with how many that would be. */
export function Definition() {
  const { data, error, refetch } = useQuery(modelQuery('churn'));
  if (data === undefined)
    return error === null ? <SkeletonRows rows={6} /> : <ErrorState error={error} onRetry={() => refetch()} />;
  return (
    <Stack>
      <Form key={data.edition} model={data} />
    </Stack>
  );
}
