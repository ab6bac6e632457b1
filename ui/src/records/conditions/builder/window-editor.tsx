import type { Window } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { addDays } from '@/lib/day';
import { DateRangePicker, NumberInput, Select } from '@/ui';
import css from './builder.module.css';

type Kind = 'ever' | 'd7' | 'd30' | 'd60' | 'd90' | 'd180' | 'd365' | 'days' | 'span' | 'hours' | 'dates';
const READY: Partial<Record<Kind, number>> = { d7: 7, d30: 30, d60: 60, d90: 90, d180: 180, d365: 365 };

const OUTSIDE = { any: new Set<Kind>(['ever']), length: new Set<Kind>(['ever', 'span', 'dates']) };

function kindOf(value: Window | undefined): Kind {
  if (value === undefined) return 'ever';
  if ('hours' in value) return 'hours';
  if ('from' in value) return 'dates';
  if (Array.isArray(value.days)) return 'span';
  const ready = Object.entries(READY).find(([, days]) => days === value.days);
  return ready === undefined ? 'days' : (ready[0] as Kind);
}

interface Props {
  /** "any" leaves out no window at all, "length" all that do not end now. */
  only?: 'any' | 'length';
  value: Window | undefined;
  onChange: (value: Window | undefined) => void;
}

/** When: ever, in the last days, between two distances, or between two dates. */
export function WindowEditor({ value, onChange, only }: Props) {
  const { t } = useTranslation(['conditions', 'fields']);
  const { today } = useFormat();
  const kind = kindOf(value);
  const choose = (next: Kind) => {
    const days = READY[next];
    if (days !== undefined) onChange({ days });
    else if (next === 'days') onChange({ days: 45 });
    else if (next === 'span') onChange({ days: [60, 30] });
    else if (next === 'hours') onChange({ hours: 24 });
    else if (next === 'dates') onChange({ from: addDays(today(), -30), to: today() });
    else onChange(undefined);
  };
  const options = (['ever', 'd7', 'd30', 'd60', 'd90', 'd180', 'd365', 'days', 'span', 'hours', 'dates'] as const)
    .filter((name) => only === undefined || !OUTSIDE[only].has(name))
    .map((name) => ({
      value: name,
      label:
        READY[name] === undefined
          ? t(`conditions:window.${name}`)
          : t('conditions:window.lastDays', { count: READY[name] }),
    }));
  return (
    <>
      <div className={css.window}>
        <Select
          aria-label={t('conditions:window.label')}
          options={options}
          value={kind}
          onChange={(next) => next !== null && choose(next as Kind)}
        />
      </div>
      {kind === 'days' && value !== undefined && 'days' in value && typeof value.days === 'number' && (
        <>
          <div className={css.small}>
            <NumberInput
              aria-label={t('conditions:window.days')}
              value={value.days}
              min={1}
              decimals={0}
              onChange={(days) => days !== null && onChange({ days })}
            />
          </div>
          <span className={css.unit}>{t('fields:days')}</span>
        </>
      )}
      {kind === 'hours' && value !== undefined && 'hours' in value && (
        <>
          <div className={css.small}>
            <NumberInput
              aria-label={t('conditions:window.hours')}
              value={value.hours}
              min={1}
              decimals={0}
              onChange={(hours) => hours !== null && onChange({ hours })}
            />
          </div>
          <span className={css.unit}>{t('fields:hours')}</span>
        </>
      )}
      {kind === 'span' && value !== undefined && 'days' in value && Array.isArray(value.days) && (
        <>
          <div className={css.small}>
            <NumberInput
              aria-label={t('conditions:window.spanFrom')}
              value={value.days[0]}
              min={1}
              decimals={0}
              onChange={(from) => from !== null && onChange({ days: [from, (value.days as [number, number])[1]] })}
            />
          </div>
          <span className={css.unit}>{t('fields:until')}</span>
          <div className={css.small}>
            <NumberInput
              aria-label={t('conditions:window.spanTo')}
              value={value.days[1]}
              min={0}
              decimals={0}
              onChange={(to) => to !== null && onChange({ days: [(value.days as [number, number])[0], to] })}
            />
          </div>
          <span className={css.unit}>{t('conditions:window.daysAgo')}</span>
        </>
      )}
      {kind === 'dates' && value !== undefined && 'from' in value && (
        <div className={css.dates}>
          <DateRangePicker
            aria-label={t('conditions:window.dates')}
            value={[value.from || null, value.to || null]}
            onChange={([from, to]) => onChange({ from: from ?? '', to: to ?? '' })}
          />
        </div>
      )}
    </>
  );
}
