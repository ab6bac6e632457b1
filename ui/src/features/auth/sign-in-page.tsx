import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { type SignInStage, signInWaysQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { SignInForm } from '@/shell';
import { ButtonLink } from '@/ui';
import { PublicFrame } from './public-frame';

/** Only addresses of this site: "//elsewhere" and "https://…" are not followed. */
export const safeNext = (next: string | undefined): string =>
  next !== undefined && /^\/(?![/\\])/.test(next) ? next : '/';

export function SignInPage() {
  const { t } = useTranslation(['auth', 'links']);
  const navigate = useNavigate();
  const { next } = useSearch({ strict: false }) as { next?: string };
  const [stage, setStage] = useState<SignInStage | null>(null);
  const offered = useQuery(signInWaysQuery()).data?.reset === true;
  return (
    <PublicFrame
      title={stage === null ? t('auth:signIn.title') : t(`auth:stage.${stage}`)}
      {...(stage === null && { lead: t('auth:signIn.lead') })}
    >
      <SignInForm onStage={setStage} onDone={() => navigate({ href: safeNext(next), replace: true })} />
      {offered && stage === null && (
        <ButtonLink to="/forgot" kind="subtle" size="lg">
          {t('links:forgot.link')}
        </ButtonLink>
      )}
    </PublicFrame>
  );
}
