import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { type Brought, isApiError, type SignInStage, useProviderSignIn } from '@/api';
import { useTranslation } from '@/i18n';
import { comeBack, tellSignedIn } from '@/lib/away';
import { SignInForm } from '@/shell';
import { ButtonLink, SkeletonRows } from '@/ui';
import css from './auth.module.css';
import { PublicFrame } from './public-frame';
import { safeNext } from './sign-in-page';

function readAddress(): Brought {
  const given = new URLSearchParams(location.search);
  const part = (name: 'code' | 'iss' | 'error') => (given.has(name) ? { [name]: given.get(name) ?? '' } : {});
  return { state: given.get('state') ?? '', ...part('code'), ...part('iss'), ...part('error') };
}

/** Where a provider of identities sends the browser back to. What stands in the address is good once and leaves it at once. */
export function ReturnPage() {
  const { t } = useTranslation(['ways', 'auth', 'common']);
  const navigate = useNavigate();
  const [brought] = useState(readAddress);
  const [away] = useState(() => comeBack(brought.state));
  const [stage, setStage] = useState<SignInStage | null>(null);
  const [done, setDone] = useState(false);
  const begun = useRef(false);
  const { mutate, error } = useProviderSignIn();
  const arrive = () => {
    if (!away.apart) return navigate({ href: safeNext(away.next), replace: true });
    tellSignedIn();
    setDone(true);
    window.close();
  };
  const arriveNow = useRef(arrive);
  arriveNow.current = arrive;
  useEffect(() => {
    if (begun.current || brought.state === '') return;
    begun.current = true;
    history.replaceState(history.state, '', location.pathname);
    mutate(brought, {
      onSuccess: (step) => {
        if (step.session === null) setStage(step.stage);
        else arriveNow.current();
      },
    });
  }, [brought, mutate]);
  if (done)
    return (
      <PublicFrame title={t('ways:return.done')} lead={t('ways:return.close')}>
        {null}
      </PublicFrame>
    );
  const nothing = brought.state === '';
  if (nothing || error !== null)
    return (
      <PublicFrame title={t('ways:return.failed')}>
        <div className={css.form}>
          <p className={css.problem} role="alert">
            {nothing && t('ways:return.nothing')}
            {error !== null && (isApiError(error, 0) ? t('common:failed.network') : error.message)}
          </p>
          <ButtonLink to="/sign-in" kind="primary" size="lg">
            {t('ways:return.again')}
          </ButtonLink>
        </div>
      </PublicFrame>
    );
  if (stage !== null)
    return (
      <PublicFrame title={t(`auth:stage.${stage}`)}>
        <SignInForm stage={stage} onStage={setStage} onDone={arrive} />
      </PublicFrame>
    );
  return (
    <PublicFrame title={t('ways:return.title')}>
      <SkeletonRows rows={3} />
    </PublicFrame>
  );
}
