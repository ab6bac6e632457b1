import { useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useState } from 'react';
import { sessionLost, waitingStore } from '@/api';
import { useTranslation } from '@/i18n';
import { useSession } from '@/metadata';
import { Modal } from '@/ui';

const SignInForm = lazy(() => import('./sign-in-form').then((module) => ({ default: module.SignInForm })));

/** The session ended while the person was working: signing in happens over the page, and nothing typed is lost. */
export function ReLogin() {
  const client = useQueryClient();
  const [lost, setLost] = useState(false);
  useEffect(() => sessionLost.on(() => setLost(true)), []);
  const back = () => {
    setLost(false);
    client.invalidateQueries();
    if (waitingStore.get().length > 0) void import('@/api/offline').then(({ sendWaiting }) => sendWaiting());
  };
  return <Suspense>{lost && <Again onDone={back} />}</Suspense>;
}

/** Apart, because its words come with the first session that ends. */
function Again({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation('auth');
  const { user } = useSession();
  return (
    <Modal opened onClose={() => undefined} dismissible={false} title={t('auth:again.title')} size={380}>
      <p style={{ color: 'var(--text-2)', marginBottom: 16 }}>{t('auth:again.text')}</p>
      <Suspense>
        <SignInForm email={user.email} onDone={onDone} />
      </Suspense>
    </Modal>
  );
}
