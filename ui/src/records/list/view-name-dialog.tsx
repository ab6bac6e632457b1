import { useState } from 'react';
import { useTranslation } from '@/i18n';
import { Button, Modal, Switch, TextInput } from '@/ui';

interface NameDialogProps {
  title: string;
  start: { name: string; shared: boolean };
  mayShare: boolean;
  saving: boolean;
  onSave: (name: string, shared: boolean) => void;
  onClose: () => void;
}

export function NameDialog({ title, start, mayShare, saving, onSave, onClose }: NameDialogProps) {
  const { t } = useTranslation(['views', 'common']);
  const [name, setName] = useState(start.name);
  const [shared, setShared] = useState(start.shared);
  const save = () => name.trim() !== '' && onSave(name.trim(), shared);
  return (
    <Modal
      opened
      onClose={onClose}
      title={title}
      size={400}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" disabled={name.trim() === ''} loading={saving} onClick={save}>
            {t('common:save')}
          </Button>
        </>
      }
    >
      <div className="stack">
        <TextInput label={t('views:view.name')} value={name} onChange={setName} onEnter={save} size="lg" autoFocus />
        {mayShare && (
          <Switch
            label={t('views:view.shared')}
            description={t('views:view.sharedHelp')}
            checked={shared}
            onChange={setShared}
          />
        )}
      </div>
    </Modal>
  );
}
