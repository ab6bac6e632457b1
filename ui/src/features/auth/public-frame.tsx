import type { ReactNode } from 'react';
import { useTranslation } from '@/i18n';
import { useDocumentTitle } from '@/lib/hooks';
import { LanguageToggle, Logo, ThemeToggle } from '@/shell';
import css from './auth.module.css';

interface Props {
  title: string;
  lead?: string;
  wide?: boolean;
  children: ReactNode;
}

/** The quiet page around sign-in and set-up. */
export function PublicFrame({ title, lead, wide, children }: Props) {
  const { t } = useTranslation('common');
  useDocumentTitle(`${title} \u00b7 ${t('common:appName')}`);
  return (
    <div className={css.page}>
      <main className={css.card} data-wide={wide || undefined}>
        <div className={css.brand}>
          <Logo size={30} />
          <span>{t('common:appName')}</span>
        </div>
        <h1 className={css.title}>{title}</h1>
        {lead === undefined ? <div className={css.gap} /> : <p className={css.lead}>{lead}</p>}
        {children}
      </main>
      <footer className={css.foot}>
        <LanguageToggle />
        <ThemeToggle />
      </footer>
    </div>
  );
}
