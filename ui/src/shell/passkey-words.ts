import { isApiError } from '@/api';
import { useTranslation } from '@/i18n';
import { PasskeyError } from '@/lib/passkey';

/** What to say of a ceremony that did not succeed. */
export function usePasskeyProblem(): (error: unknown) => string | undefined {
  const { t } = useTranslation(['ways', 'common']);
  return (error) => {
    if (error === null) return undefined;
    if (error instanceof PasskeyError) return t(`ways:passkey.failed.${error.why}`);
    if (isApiError(error, 0)) return t('common:failed.network');
    return error instanceof Error ? error.message : t('ways:passkey.failed.failed');
  };
}
