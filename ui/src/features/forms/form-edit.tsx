import { useQuery } from '@tanstack/react-query';
import { type FormPlan, type FormWords, type faultsOf, offersQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, Panel, SegmentedControl, Select, Switch, TagsInput, Textarea, TextInput } from '@/ui';
import { Halves, Stack } from '@/ui/figures';
import { Consents, Fields } from './form-asks';
import css from './forms.module.css';

export const LOCALES = ['zh-CN', 'en'] as const;
export type Locale = (typeof LOCALES)[number];
const EMPTY: FormWords = { title: '', text: '', button: '', thanks: '' };
export const emptyPlan = (locale: Locale): FormPlan => ({
  locale,
  words: { [locale]: EMPTY },
  fields: [
    { key: 'name', required: true, label: {} },
    { key: 'phone', required: true, label: {} },
  ],
  consents: [],
  thanks_url: '',
  privacy: '',
  contacts: false,
  offer: '',
  origins: [],
  codes: [],
});

export interface EditProps {
  plan: FormPlan;
  locale: Locale;
  onPlan: (change: Partial<FormPlan>) => void;
  faults: ReturnType<typeof faultsOf>;
  disabled: boolean;
}
interface Props extends EditProps {
  name: string;
  onName: (name: string) => void;
  onLocale: (locale: Locale) => void;
}

function Words({ plan, locale, onLocale, onPlan, faults, disabled }: Props) {
  const { t } = useTranslation('forms');
  const words = plan.words[locale];
  const set = (change: Partial<FormWords>) =>
    onPlan({ words: { ...plan.words, [locale]: { ...(words ?? EMPTY), ...change } } });
  const props = (key: keyof FormWords) => ({
    label: t(`forms:words.${key}`),
    disabled,
    value: words?.[key] ?? '',
    onChange: (value: string) => set({ [key]: value }),
    error: faults.at(`plan.words.${locale}.${key}`),
  });
  return (
    <Panel title={t('forms:part.words')}>
      <div className={css.form}>
        <SegmentedControl<Locale>
          label={t('forms:language')}
          value={locale}
          onChange={onLocale}
          options={LOCALES.map((key) => ({ value: key, label: t(`forms:locales.${key}`) }))}
        />
        {words === undefined ? (
          <>
            <p className="muted">{t('forms:noWords')}</p>
            {!disabled && (
              <span>
                <Button onClick={() => set(EMPTY)}>{t('forms:addWords')}</Button>
              </span>
            )}
          </>
        ) : (
          <>
            <TextInput {...props('title')} required />
            <Textarea {...props('text')} />
            <TextInput {...props('button')} placeholder={t('forms:buttonHint')} />
            <Textarea {...props('thanks')} placeholder={t('forms:thanksHint')} />
          </>
        )}
      </div>
    </Panel>
  );
}

function After({ plan, onPlan, faults, disabled }: EditProps) {
  const { t } = useTranslation('forms');
  const can = useCan();
  const offers = useQuery({ ...offersQuery(), enabled: can('offer.read') }).data?.items ?? [];
  const text = (key: 'thanks_url' | 'privacy') => (
    <TextInput
      label={t(`forms:plan.${key}`)}
      description={t(`forms:hint.${key}`)}
      placeholder="https://"
      disabled={disabled}
      value={plan[key]}
      onChange={(value) => onPlan({ [key]: value })}
      error={faults.at(`plan.${key}`)}
    />
  );
  return (
    <Panel title={t('forms:part.after')}>
      <div className={css.form}>
        {text('thanks_url')}
        {text('privacy')}
        {(can('offer.read') || plan.offer !== '') && (
          <Select
            label={t('forms:plan.offer')}
            description={t('forms:hint.offer')}
            clearable
            disabled={disabled}
            value={plan.offer || null}
            onChange={(next) => onPlan({ offer: next ?? '' })}
            options={offers
              .filter((one) => one.status === 'active' || one.id === plan.offer)
              .map((one) => ({ value: one.id, label: one.name }))}
            error={faults.at('plan.offer')}
          />
        )}
        <Switch
          label={t('forms:plan.contacts')}
          description={t('forms:hint.contacts')}
          checked={plan.contacts}
          disabled={disabled}
          onChange={(contacts) => onPlan({ contacts })}
        />
        <TagsInput
          label={t('forms:plan.origins')}
          description={t('forms:hint.origins')}
          disabled={disabled}
          value={plan.origins}
          onChange={(origins) => onPlan({ origins })}
          error={faults.at('plan.origins')}
        />
      </div>
    </Panel>
  );
}

/** What a form says, asks, and does with what was sent. */
export function FormEdit(props: Props) {
  const { name, onName, faults, disabled } = props;
  const { t } = useTranslation('forms');
  return (
    <Halves>
      <Stack>
        <Panel>
          <div className={css.form}>
            <TextInput
              label={t('forms:name')}
              description={t('forms:nameHelp')}
              required
              disabled={disabled}
              value={name}
              onChange={onName}
              error={faults.at('name')}
            />
          </div>
        </Panel>
        <Words {...props} />
        <After {...props} />
      </Stack>
      <Stack>
        <Fields {...props} />
        <Consents {...props} />
      </Stack>
    </Halves>
  );
}
