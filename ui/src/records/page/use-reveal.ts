import { useEffect, useState } from 'react';
import { errorText, revealFields } from '@/api';
import { useTranslation } from '@/i18n';
import { useEvent } from '@/lib/hooks';
import { toast } from '@/ui';

const SECONDS = 30;

export interface Reveal {
  /** The clear value of a field while it is shown. */
  shown: (field: string) => unknown;
  secondsLeft: number;
  pending: string | null;
  reveal: (field: string) => Promise<void>;
  hide: () => void;
}

/** Shows masked values for half a minute; every look is audited by the server. Leaving the page forgets them. */
export function useReveal(object: string, id: string): Reveal {
  const { t } = useTranslation('common');
  const [values, setValues] = useState<Record<string, unknown>>({});
  const [pending, setPending] = useState<string | null>(null);
  const [secondsLeft, setSecondsLeft] = useState(0);
  const hide = useEvent(() => {
    setValues({});
    setSecondsLeft(0);
  });
  const running = secondsLeft > 0;
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => setSecondsLeft((left) => left - 1), 1000);
    return () => clearInterval(timer);
  }, [running]);
  useEffect(() => {
    if (secondsLeft <= 0) setValues({});
  }, [secondsLeft]);
  useEffect(() => {
    const onHidden = () => document.hidden && hide();
    document.addEventListener('visibilitychange', onHidden);
    return () => document.removeEventListener('visibilitychange', onHidden);
  }, [hide]);
  return {
    shown: (field) => values[field],
    secondsLeft,
    pending,
    hide,
    async reveal(field) {
      setPending(field);
      try {
        const answer = await revealFields(object, id, [field]);
        setValues((old) => ({ ...old, ...answer.fields }));
        setSecondsLeft(SECONDS);
      } catch (error) {
        toast.error(t('common:failed.title'), { detail: errorText(error) });
      } finally {
        setPending(null);
      }
    },
  };
}
