import { useTranslation } from '@/i18n';
import { Button } from '@/ui';
import css from './consent-settings.module.css';

interface Props {
  dirty: boolean;
  busy: boolean;
  onSave: () => void;
  onReset: () => void;
}

export function SaveBar({ dirty, busy, onSave, onReset }: Props) {
  const { t } = useTranslation(['consent', 'common']);
  return (
    <div className={css.bar}>
      {dirty && <span className="muted">{t('consent:settings.unsaved')}</span>}
      {dirty && (
        <Button kind="subtle" onClick={onReset}>
          {t('consent:settings.discard')}
        </Button>
      )}
      <Button kind="primary" disabled={!dirty} loading={busy} onClick={onSave}>
        {t('common:save')}
      </Button>
    </div>
  );
}
