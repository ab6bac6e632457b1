import { useTranslation } from '@/i18n';
import { confirm } from './confirm';

/** Closes at once, or after a question where something that was entered would be lost. */
export function useGiveUp(dirty: boolean | undefined, onClose: () => void): () => void {
  const { t } = useTranslation('dialogs');
  if (dirty !== true) return onClose;
  return async () => {
    const leave = await confirm({
      title: t('dialogs:giveUp.title'),
      text: t('dialogs:giveUp.text'),
      confirm: t('dialogs:giveUp.confirm'),
      danger: true,
    });
    if (leave) onClose();
  };
}
