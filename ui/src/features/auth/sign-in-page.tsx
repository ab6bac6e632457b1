import { useNavigate, useSearch } from '@tanstack/react-router';
import { useTranslation } from '@/i18n';
import { SignInForm } from '@/shell';
import { PublicFrame } from './public-frame';

/** Only addresses of this site: "//elsewhere" and "https://…" are not followed. */
export const safeNext = (next: string | undefined): string =>
  next !== undefined && /^\/(?![/\\])/.test(next) ? next : '/';

export function SignInPage() {
  const { t } = useTranslation('auth');
  const navigate = useNavigate();
  const { next } = useSearch({ strict: false }) as { next?: string };
  return (
    <PublicFrame title={t('auth:signIn.title')} lead={t('auth:signIn.lead')}>
      <SignInForm onDone={() => navigate({ href: safeNext(next), replace: true })} />
    </PublicFrame>
  );
}
