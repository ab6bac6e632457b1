import type { ReactNode } from 'react';
import { useTranslation } from '@/i18n';
import { createStore, useStore } from '@/lib/store';
import { Button } from './button';
import { Modal } from './dialog';

interface Question {
  title: string;
  text?: ReactNode;
  confirm: string;
  danger?: boolean;
}
const asked = createStore<(Question & { answer: (yes: boolean) => void }) | null>(null);

/** Asks before something that cannot be undone; resolves to the answer. Prefer undo where it can be had. */
export function confirm(question: Question): Promise<boolean> {
  asked.get()?.answer(false);
  return new Promise((resolve) => {
    asked.set({
      ...question,
      answer: (yes) => {
        asked.set(null);
        resolve(yes);
      },
    });
  });
}

export function ConfirmHost() {
  const { t } = useTranslation('common');
  const question = useStore(asked);
  return (
    <Modal
      opened={question !== null}
      onClose={() => question?.answer(false)}
      title={question?.title}
      size={420}
      footer={
        <>
          <Button onClick={() => question?.answer(false)}>{t('common:cancel')}</Button>
          <Button kind={question?.danger ? 'danger' : 'primary'} onClick={() => question?.answer(true)}>
            {question?.confirm}
          </Button>
        </>
      }
    >
      <div style={{ color: 'var(--text-2)' }}>{question?.text}</div>
    </Modal>
  );
}
