import { IconDeviceDesktop, IconLanguage, IconMoon, IconSun } from '@tabler/icons-react';
import { LANGUAGE_NAMES, setLanguage, useLanguage, useTranslation } from '@/i18n';
import { useStore } from '@/lib/store';
import { appearanceStore, setAppearance } from '@/theme/appearance';
import { IconButton, useColorScheme } from '@/ui';
import css from './frame.module.css';

/** Shows the other language in its own name; one press changes it. */
export function LanguageToggle() {
  const { t } = useTranslation('shell');
  const other = useLanguage() === 'zh-CN' ? 'en' : 'zh-CN';
  return (
    <button
      type="button"
      className={css.quiet}
      lang={other}
      title={t('shell:language')}
      onClick={() => setLanguage(other)}
    >
      <IconLanguage size={16} stroke={1.6} aria-hidden />
      {LANGUAGE_NAMES[other]}
    </button>
  );
}

/** Light, dark, as the system says. */
export function ThemeToggle() {
  const { t } = useTranslation('shell');
  const choice = useStore(appearanceStore);
  const scheme = useColorScheme();
  const next = scheme === 'dark' ? 'light' : 'dark';
  const label = choice === 'auto' ? t(`shell:theme.${next}`) : t(`shell:theme.${next}`);
  return (
    <IconButton
      label={label}
      icon={scheme === 'dark' ? <IconSun size={16} stroke={1.6} /> : <IconMoon size={16} stroke={1.6} />}
      onClick={() => setAppearance(next)}
    />
  );
}

export const APPEARANCE_ICONS = { light: IconSun, dark: IconMoon, auto: IconDeviceDesktop };
