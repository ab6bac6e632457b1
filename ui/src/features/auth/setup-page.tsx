import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useMemo, useState } from 'react';
import { type ApiError, isApiError, type SetupInput, setupQuery, useSetup } from '@/api';
import { LANGUAGE_NAMES, LANGUAGES, type Language, setLanguage, useLanguage, useTranslation } from '@/i18n';
import { MIN_PASSWORD } from '@/lib/password-strength';
import { focusFirstInvalid, looksLikeEmail } from '@/lib/sign-form';
import { PasswordStrength } from '@/shell';
import { Button, Checkbox, PasswordInput, SegmentedControl, Select, TextInput } from '@/ui';
import css from './auth.module.css';
import { CURRENCIES, ownTimeZone, timeZones, zoneLabel } from './places';
import { PublicFrame } from './public-frame';

function useChoices(language: Language) {
  return useMemo(() => {
    const names = new Intl.DisplayNames([language], { type: 'currency' });
    return {
      zones: timeZones().map((zone) => ({ value: zone, label: zoneLabel(zone) })),
      currencies: CURRENCIES.map((code) => ({ value: code, label: `${code} ${names.of(code) ?? ''}` })),
    };
  }, [language]);
}

/** The first start: one workspace and its administrator. */
export function SetupPage() {
  const { t } = useTranslation(['auth', 'common']);
  const language = useLanguage();
  const navigate = useNavigate();
  const state = useQuery(setupQuery());
  const setup = useSetup();
  const { zones, currencies } = useChoices(language);
  const [form, setForm] = useState<Omit<SetupInput, 'locale'>>({
    workspace: '',
    timezone: ownTimeZone(),
    currency: language === 'zh-CN' ? 'CNY' : 'USD',
    name: '',
    email: '',
    password: '',
    demo: false,
  });
  const set = (change: Partial<SetupInput>) => setForm((old) => ({ ...old, ...change }));
  const problem: ApiError | null = isApiError(setup.error) ? setup.error : null;
  const [tried, setTried] = useState(false);
  const short = form.password.length < MIN_PASSWORD;
  const nameless = form.workspace.trim() === '';
  const noAddress = !looksLikeEmail(form.email);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (short || nameless || noAddress) {
      focusFirstInvalid(event.currentTarget as HTMLElement);
      return;
    }
    setup.mutate(
      { ...form, email: form.email.trim(), workspace: form.workspace.trim(), locale: language },
      { onSuccess: () => navigate({ to: '/', replace: true }) },
    );
  };
  return (
    <PublicFrame title={t('auth:setup.title')} lead={t('auth:setup.lead')} wide>
      <form className={css.form} onSubmit={submit} noValidate>
        <SegmentedControl
          label={t('auth:setup.language')}
          value={language}
          onChange={(next) => setLanguage(next)}
          options={LANGUAGES.map((value) => ({ value, label: LANGUAGE_NAMES[value] }))}
          fullWidth
        />
        <TextInput
          size="lg"
          label={t('auth:setup.workspace')}
          placeholder={t('auth:setup.workspaceHint')}
          value={form.workspace}
          onChange={(workspace) => set({ workspace })}
          error={tried && nameless ? t('auth:setup.workspaceNeeded') : problem?.at('workspace')}
          required
          autoFocus
        />
        <div className={css.pair}>
          <Select
            size="lg"
            label={t('auth:setup.timezone')}
            options={zones}
            value={form.timezone}
            onChange={(zone) => zone !== null && set({ timezone: zone })}
            searchable
            error={problem?.at('timezone')}
          />
          <Select
            size="lg"
            label={t('auth:setup.currency')}
            options={currencies}
            value={form.currency}
            onChange={(code) => code !== null && set({ currency: code })}
            searchable
            error={problem?.at('currency')}
          />
        </div>
        <hr className={css.divider} />
        <div className={css.pair}>
          <TextInput
            size="lg"
            label={t('auth:setup.name')}
            value={form.name ?? ''}
            onChange={(name) => set({ name })}
            autoComplete="name"
          />
          <TextInput
            size="lg"
            type="email"
            label={t('auth:email')}
            value={form.email}
            onChange={(email) => set({ email })}
            autoComplete="username"
            error={tried && noAddress ? t('auth:emailNeeded') : problem?.at('email')}
            required
          />
        </div>
        <PasswordInput
          size="lg"
          label={t('auth:password')}
          {...(!(tried && short) && { description: t('auth:passwordRule', { count: MIN_PASSWORD }) })}
          value={form.password}
          onChange={(password) => set({ password })}
          autoComplete="new-password"
          toggleLabel={t('auth:showPassword')}
          error={tried && short ? t('auth:passwordRule', { count: MIN_PASSWORD }) : problem?.at('password')}
          required
        />
        <PasswordStrength password={form.password} />
        {state.data?.demo_available === true && (
          <div className={css.demo}>
            <Checkbox
              label={t('auth:setup.demo')}
              description={t('auth:setup.demoHelp')}
              checked={form.demo === true}
              onChange={(demo) => set({ demo })}
            />
          </div>
        )}
        {setup.error !== null && (problem === null || problem.fields.length === 0) && (
          <p className={css.problem} role="alert">
            {problem?.status === 0 ? t('common:failed.network') : setup.error.message}
          </p>
        )}
        <Button kind="primary" size="lg" type="submit" fullWidth loading={setup.isPending}>
          {t('auth:setup.submit')}
        </Button>
      </form>
    </PublicFrame>
  );
}
