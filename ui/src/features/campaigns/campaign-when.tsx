import type { CampaignPlan } from '@/api';
import { useTranslation } from '@/i18n';
import { useMinor } from '@/metadata';
import { NumberInput, Panel, Switch, TextInput } from '@/ui';
import css from './campaigns.module.css';

export interface PartProps {
  plan: CampaignPlan;
  set: (change: Partial<CampaignPlan>) => void;
  at: (place: string) => string | undefined;
  disabled: boolean;
  channel: string;
}

/** The moment in the form that inputs take, in the browser's own zone. */
function localText(iso: string | null): string {
  if (iso === null) return '';
  const at = new Date(iso);
  const two = (part: number) => String(part).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** When a campaign goes out, how fast, and what counts as its result. */
export function When({ plan, set, at, disabled, channel }: PartProps) {
  const { t } = useTranslation('campaigns');
  const minor = useMinor();
  return (
    <Panel title={t('campaigns:when')}>
      <div className={css.form}>
        <div className={css.line}>
          <TextInput
            label={t('campaigns:start')}
            description={t('campaigns:startText')}
            type="datetime-local"
            disabled={disabled}
            value={localText(plan.start)}
            onChange={(text) => set({ start: text === '' ? null : new Date(text).toISOString() })}
          />
          <NumberInput
            label={t('campaigns:perMinute')}
            description={t('campaigns:perMinuteText')}
            min={0}
            disabled={disabled}
            value={plan.per_minute}
            onChange={(value) => set({ per_minute: value ?? 0 })}
            error={at('per_minute')}
          />
        </div>
        <Switch
          label={t('campaigns:local')}
          disabled={disabled}
          checked={plan.local}
          onChange={(local) => set({ local })}
        />
        <Switch
          label={t('campaigns:dropQuiet')}
          disabled={disabled}
          checked={plan.drop_quiet}
          onChange={(drop_quiet) => set({ drop_quiet })}
        />
        <Switch
          label={t('campaigns:waitCap')}
          disabled={disabled}
          checked={plan.wait_cap}
          onChange={(wait_cap) => set({ wait_cap })}
        />
        <div className={css.line}>
          <NumberInput
            label={t('campaigns:days')}
            min={1}
            max={90}
            disabled={disabled}
            value={plan.days}
            onChange={(days) => set({ days: days ?? 14 })}
            error={at('days')}
          />
          <NumberInput
            label={t(channel === 'sms' ? 'campaigns:costText' : 'campaigns:cost')}
            {...(channel === 'sms' && { description: t('campaigns:costTextHelp') })}
            min={0}
            decimals={minor.digits}
            disabled={disabled}
            value={minor.value(plan.cost)}
            onChange={(value) => set({ cost: minor.minor(value) })}
          />
          <NumberInput
            label={t('campaigns:fixed')}
            min={0}
            decimals={minor.digits}
            disabled={disabled}
            value={minor.value(plan.fixed)}
            onChange={(value) => set({ fixed: minor.minor(value) })}
          />
          <NumberInput
            label={t('campaigns:margin')}
            suffix="%"
            min={0}
            max={100}
            disabled={disabled}
            value={plan.margin}
            onChange={(margin) => set({ margin: margin ?? 0 })}
            error={at('margin')}
          />
        </div>
      </div>
    </Panel>
  );
}
