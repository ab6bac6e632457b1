import { type ErrorComponentProps, useRouter } from '@tanstack/react-router';
import { useTranslation } from '@/i18n';
import { ButtonLink, EmptyState, ErrorState } from '@/ui';

export function RouteError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <ErrorState
      error={error}
      onRetry={() => {
        reset();
        router.invalidate();
      }}
    />
  );
}

export function NotFound() {
  const { t } = useTranslation('common');
  return <EmptyState cause="not_found" actions={<ButtonLink to="/">{t('common:toHome')}</ButtonLink>} />;
}
