import { IconChevronLeft } from '@tabler/icons-react';
import { createLink } from '@tanstack/react-router';
import type { ReactNode, Ref } from 'react';
import { useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { useDocumentTitle } from '@/lib/hooks';
import css from './page.module.css';

function BackAnchor({ label, ...rest }: { label: string; href?: string; ref?: Ref<HTMLAnchorElement> }) {
  return (
    <a {...rest} className={css.back} title={label}>
      <IconChevronLeft size={18} aria-hidden />
      <span className="sr-only">{label}</span>
    </a>
  );
}
/** The arrow before a title; takes the props of the router's Link. */
export const BackLink = createLink(BackAnchor);

interface HeaderProps {
  title: string;
  /** Shown instead of the plain title, for example with an avatar; `title` still names the browser tab. */
  heading?: ReactNode;
  back?: ReactNode;
  actions?: ReactNode;
}
export function PageHeader({ title, heading, back, actions }: HeaderProps) {
  const { t } = useTranslation('common');
  useDocumentTitle(`${title} \u00b7 ${t('common:appName')}`);
  return (
    <header className={css.header}>
      {back}
      <h1 className={css.title}>{heading ?? title}</h1>
      {actions !== undefined && <div className={css.actions}>{actions}</div>}
    </header>
  );
}

interface PageProps extends HeaderProps {
  children: ReactNode;
  /** `plain` scrolls with space around; `fill` gives the child the whole height (grids). */
  layout?: 'plain' | 'fill';
  /** Readable width for forms and texts. */
  narrow?: boolean;
}
export function Page({ children, layout = 'plain', narrow, ...header }: PageProps) {
  return (
    <div className={css.page}>
      <PageHeader {...header} />
      <div className={cx(css.body, layout === 'fill' && css.fill)}>
        {layout === 'fill' ? children : <div className={cx(css.inner, narrow && css.narrow)}>{children}</div>}
      </div>
    </div>
  );
}
