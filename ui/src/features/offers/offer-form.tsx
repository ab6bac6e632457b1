import { useQuery } from '@tanstack/react-query';
import { type faultsOf, OFFER_KINDS, type OfferKind, type OfferRule, segmentsQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { useCan, useMinor } from '@/metadata';
import { DatePicker, MultiSelect, NumberInput, Panel, Select, Switch, TagsInput, TextInput } from '@/ui';
import { Halves, Stack } from '@/ui/figures';
import css from './offers.module.css';

export const emptyRule = (): OfferRule => ({
  kind: 'percent',
  percent: 10,
  amount: 0,
  most: 0,
  gift: '',
  minimum: 0,
  products: [],
  categories: [],
  brands: [],
  channels: [],
  first: false,
  segments: [],
  from: '',
  to: '',
  group: '',
  order: 0,
  per_person: 1,
  per_day: 0,
  total: 0,
  budget: 0,
  valid_days: 0,
  hold_minutes: 0,
  back: true,
});

interface Props {
  name: string;
  rule: OfferRule;
  onName: (name: string) => void;
  onRule: (change: Partial<OfferRule>) => void;
  faults: ReturnType<typeof faultsOf>;
  disabled: boolean;
}

/** What an offer gives, to whom, when and how often. */
export function OfferForm({ name, rule, onName, onRule, faults, disabled }: Props) {
  const { t } = useTranslation('offers');
  const can = useCan();
  const minor = useMinor();
  const segments = useQuery({ ...segmentsQuery(), enabled: can('segment.read') }).data?.items ?? [];
  const at = (key: keyof OfferRule) => faults.at(`rule.${key}`);
  const money = (key: 'amount' | 'most' | 'minimum' | 'budget', description?: string, label?: string) => (
    <NumberInput
      label={label ?? t(`offers:rule.${key}`)}
      {...(description !== undefined && { description })}
      min={0}
      decimals={minor.digits}
      disabled={disabled}
      value={rule[key] === 0 ? null : minor.value(rule[key])}
      onChange={(value) => onRule({ [key]: minor.minor(value) })}
      error={at(key)}
    />
  );
  const count = (key: 'per_person' | 'per_day' | 'total' | 'valid_days' | 'hold_minutes' | 'order') => (
    <NumberInput
      label={t(`offers:rule.${key}`)}
      min={0}
      disabled={disabled}
      value={rule[key] === 0 ? null : rule[key]}
      onChange={(value) => onRule({ [key]: value ?? 0 })}
      error={at(key)}
    />
  );
  const words = (key: 'products' | 'categories' | 'brands' | 'channels') => (
    <TagsInput
      label={t(`offers:rule.${key}`)}
      disabled={disabled}
      value={rule[key]}
      onChange={(next) => onRule({ [key]: next })}
      error={at(key)}
    />
  );
  const toggle = (key: 'first' | 'back') => (
    <Switch
      label={t(`offers:rule.${key}`)}
      disabled={disabled}
      checked={rule[key]}
      onChange={(on) => onRule({ [key]: on })}
    />
  );
  return (
    <Halves>
      <Stack>
        <Panel title={t('offers:part.gives')}>
          <div className={css.form}>
            <TextInput
              label={t('offers:name')}
              required
              disabled={disabled}
              value={name}
              onChange={onName}
              error={faults.at('name')}
            />
            <div className={css.line}>
              <Select
                label={t('offers:rule.kind')}
                disabled={disabled}
                value={rule.kind}
                onChange={(next) => onRule({ kind: (next ?? 'percent') as OfferKind })}
                options={OFFER_KINDS.map((kind) => ({ value: kind, label: t(`offers:kinds.${kind}`) }))}
                error={at('kind')}
              />
              {rule.kind === 'percent' && (
                <NumberInput
                  label={t('offers:rule.percent')}
                  suffix="%"
                  min={1}
                  max={100}
                  disabled={disabled}
                  value={rule.percent}
                  onChange={(value) => onRule({ percent: value ?? 0 })}
                  error={at('percent')}
                />
              )}
              {rule.kind === 'amount' && money('amount')}
              {rule.kind === 'trial' && money('amount', t('offers:hint.trial'), t('offers:rule.trial'))}
              {rule.kind === 'gift' && (
                <TextInput
                  label={t('offers:rule.gift')}
                  disabled={disabled}
                  value={rule.gift}
                  onChange={(gift) => onRule({ gift })}
                  error={at('gift')}
                />
              )}
              {(rule.kind === 'percent' || rule.kind === 'shipping') && money('most')}
            </div>
            {money('minimum', t('offers:hint.minimum'))}
          </div>
        </Panel>
        <Panel title={t('offers:part.goods')}>
          <div className={css.form}>
            <p className="muted">{t('offers:hint.goods')}</p>
            {words('products')}
            {words('categories')}
            {words('brands')}
            {words('channels')}
          </div>
        </Panel>
      </Stack>
      <Stack>
        <Panel title={t('offers:part.who')}>
          <div className={css.form}>
            <MultiSelect
              label={t('offers:rule.segments')}
              description={t('offers:hint.segments')}
              searchable
              disabled={disabled}
              value={rule.segments}
              onChange={(next) => onRule({ segments: next })}
              options={segments.map((one) => ({ value: one.key, label: one.label }))}
              error={at('segments')}
            />
            {toggle('first')}
            <div className={css.line}>
              <DatePicker
                label={t('offers:rule.from')}
                clearable
                disabled={disabled}
                value={rule.from || null}
                onChange={(day) => onRule({ from: day ?? '' })}
                error={at('from')}
              />
              <DatePicker
                label={t('offers:rule.to')}
                clearable
                disabled={disabled}
                value={rule.to || null}
                onChange={(day) => onRule({ to: day ?? '' })}
              />
            </div>
          </div>
        </Panel>
        <Panel title={t('offers:part.limits')}>
          <div className={css.form}>
            <p className="muted">{t('offers:hint.limits')}</p>
            <div className={css.line}>
              {count('per_person')}
              {count('per_day')}
            </div>
            <div className={css.line}>
              {count('total')}
              {money('budget')}
            </div>
            <div className={css.line}>
              {count('valid_days')}
              {count('hold_minutes')}
            </div>
            {toggle('back')}
          </div>
        </Panel>
        <Panel title={t('offers:part.together')}>
          <div className={css.form}>
            <p className="muted">{t('offers:hint.together')}</p>
            <div className={css.line}>
              <TextInput
                label={t('offers:rule.group')}
                disabled={disabled}
                value={rule.group}
                onChange={(group) => onRule({ group })}
                error={at('group')}
              />
              {count('order')}
            </div>
          </div>
        </Panel>
      </Stack>
    </Halves>
  );
}
