import { useQuery } from '@tanstack/react-query';
import {
  type faultsOf,
  ONSITE_KINDS,
  ONSITE_MOMENTS,
  type OnsitePlan,
  type OnsiteWords,
  segmentsQuery,
  sourcesQuery,
} from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import {
  Button,
  DatePicker,
  MultiSelect,
  NumberInput,
  Panel,
  SegmentedControl,
  Select,
  TagsInput,
  Textarea,
  TextInput,
} from '@/ui';
import { Halves, Stack } from '@/ui/figures';
import css from './onsite.module.css';
import { Preview } from './preview';

const LOCALES = ['zh-CN', 'en'] as const;
export type Locale = (typeof LOCALES)[number];
const EMPTY: OnsiteWords = { title: '', text: '', button: '', url: '', image: '' };
export const emptyPlan = (locale: Locale): OnsitePlan => ({
  kind: 'popup',
  locale,
  words: { [locale]: EMPTY },
  sources: [],
  paths: [],
  on: 'load',
  after: 3,
  segments: [],
  except: [],
  from: '',
  to: '',
  per_day: 1,
  total: 3,
  rank: 0,
});

interface Props {
  name: string;
  plan: OnsitePlan;
  locale: Locale;
  onLocale: (locale: Locale) => void;
  onName: (name: string) => void;
  onPlan: (change: Partial<OnsitePlan>) => void;
  faults: ReturnType<typeof faultsOf>;
  disabled: boolean;
}

function Content({ plan, locale, onLocale, onPlan, faults, disabled }: Props) {
  const { t } = useTranslation('onsite');
  const words = plan.words[locale];
  const set = (change: Partial<OnsiteWords>) =>
    onPlan({ words: { ...plan.words, [locale]: { ...(words ?? EMPTY), ...change } } });
  const at = (key: keyof OnsiteWords) => faults.at(`plan.words.${locale}.${key}`);
  const field = (key: 'title' | 'button' | 'url' | 'image', placeholder?: string) => (
    <TextInput
      label={t(`onsite:words.${key}`)}
      {...(placeholder !== undefined && { placeholder })}
      disabled={disabled}
      value={words?.[key] ?? ''}
      onChange={(value) => set({ [key]: value })}
      error={at(key)}
    />
  );
  return (
    <Panel title={t('onsite:part.content')}>
      <div className={css.form}>
        <SegmentedControl<Locale>
          label={t('onsite:language')}
          value={locale}
          onChange={onLocale}
          options={LOCALES.map((key) => ({ value: key, label: t(`onsite:locales.${key}`) }))}
        />
        {words === undefined ? (
          <>
            <p className="muted">{t('onsite:noWords')}</p>
            {!disabled && (
              <span>
                <Button onClick={() => set(plan.words[plan.locale] ?? EMPTY)}>{t('onsite:addWords')}</Button>
              </span>
            )}
          </>
        ) : (
          <>
            {field('title')}
            <Textarea
              label={t('onsite:words.text')}
              disabled={disabled}
              value={words.text}
              onChange={(text) => set({ text })}
              error={at('text')}
            />
            <div className={css.line}>
              {field('button')}
              {field('url', '/sale')}
            </div>
            {field('image', 'https://')}
          </>
        )}
      </div>
    </Panel>
  );
}

/** What is shown, where, when, to whom and how often, beside what it looks like. */
export function OnsiteForm(props: Props) {
  const { name, plan, locale, onName, onPlan, faults, disabled } = props;
  const { t } = useTranslation('onsite');
  const can = useCan();
  const segments = useQuery({ ...segmentsQuery(), enabled: can('segment.read') }).data?.items ?? [];
  const sources =
    useQuery({ ...sourcesQuery(), enabled: can('source.manage') }).data?.items.filter((one) => one.type === 'web') ??
    [];
  const at = (key: keyof OnsitePlan) => faults.at(`plan.${key}`);
  const groups = (key: 'segments' | 'except', description?: string) => (
    <MultiSelect
      label={t(`onsite:plan.${key}`)}
      {...(description !== undefined && { description })}
      searchable
      disabled={disabled}
      value={plan[key]}
      onChange={(next) => onPlan({ [key]: next })}
      options={segments.map((one) => ({ value: one.key, label: one.label }))}
      error={at(key)}
    />
  );
  const count = (key: 'per_day' | 'total' | 'rank') => (
    <NumberInput
      label={t(`onsite:plan.${key}`)}
      min={0}
      disabled={disabled}
      value={plan[key] === 0 && key !== 'rank' ? null : plan[key]}
      onChange={(value) => onPlan({ [key]: value ?? 0 })}
      error={at(key)}
    />
  );
  const day = (key: 'from' | 'to') => (
    <DatePicker
      label={t(`onsite:plan.${key}`)}
      clearable
      disabled={disabled}
      value={plan[key] || null}
      onChange={(next) => onPlan({ [key]: next ?? '' })}
      error={at(key)}
    />
  );
  const shown = plan.words[locale] ?? plan.words[plan.locale];
  return (
    <Halves>
      <Stack>
        <Panel>
          <div className={css.form}>
            <TextInput
              label={t('onsite:name')}
              description={t('onsite:nameHelp')}
              required
              disabled={disabled}
              value={name}
              onChange={onName}
              error={faults.at('name')}
            />
            <SegmentedControl
              label={t('onsite:kind')}
              value={plan.kind}
              onChange={(kind) => !disabled && onPlan({ kind })}
              options={ONSITE_KINDS.map((kind) => ({ value: kind, label: t(`onsite:kinds.${kind}`) }))}
            />
          </div>
        </Panel>
        <Content {...props} />
        <Panel title={t('onsite:part.where')}>
          <div className={css.form}>
            <TagsInput
              label={t('onsite:plan.paths')}
              description={t('onsite:hint.paths')}
              disabled={disabled}
              value={plan.paths}
              onChange={(paths) => onPlan({ paths })}
              error={at('paths')}
            />
            {(sources.length > 1 || plan.sources.length > 0) && (
              <MultiSelect
                label={t('onsite:plan.sources')}
                disabled={disabled}
                value={plan.sources}
                onChange={(next) => onPlan({ sources: next })}
                options={sources.map((one) => ({ value: one.id, label: one.name }))}
                error={at('sources')}
              />
            )}
            <div className={css.line}>
              <Select
                label={t('onsite:plan.on')}
                disabled={disabled}
                value={plan.on}
                onChange={(next) =>
                  onPlan({ on: (next ?? 'load') as OnsitePlan['on'], after: next === 'scroll' ? 50 : 3 })
                }
                options={ONSITE_MOMENTS.map((one) => ({ value: one, label: t(`onsite:moments.${one}`) }))}
              />
              {plan.on !== 'leave' && (
                <NumberInput
                  label={t(`onsite:after.${plan.on}`)}
                  min={0}
                  disabled={disabled}
                  value={plan.after}
                  onChange={(after) => onPlan({ after: after ?? 0 })}
                  error={at('after')}
                />
              )}
            </div>
          </div>
        </Panel>
      </Stack>
      <Stack>
        <Panel title={t('onsite:part.preview')}>{shown !== undefined && <Preview plan={plan} words={shown} />}</Panel>
        <Panel title={t('onsite:part.who')}>
          <div className={css.form}>
            {groups('segments', t('onsite:hint.segments'))}
            {groups('except')}
            <div className={css.line}>
              {day('from')}
              {day('to')}
            </div>
          </div>
        </Panel>
        <Panel title={t('onsite:part.often')}>
          <div className={css.form}>
            <p className="muted">{t('onsite:hint.often')}</p>
            <div className={css.line}>
              {count('per_day')}
              {count('total')}
              {count('rank')}
            </div>
          </div>
        </Panel>
      </Stack>
    </Halves>
  );
}
