import { useState } from 'react';
import { useTranslation } from '@/i18n';
import { Button, Modal, NumberInput } from '@/ui';

interface Props {
  name: string;
  limit: number | null;
  onSave: (limit: number | null) => void;
  onClose: () => void;
}

/** How many cards a column should hold: more is not refused, but shown. */
export function LimitDialog({ name, limit, onSave, onClose }: Props) {
  const { t } = useTranslation(['views', 'common', 'layouts']);
  const [value, setValue] = useState(limit);
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('layouts:board.limitTitle', { name })}
      size={380}
      footer={
        <>
          {limit !== null && (
            <Button kind="subtle" onClick={() => onSave(null)}>
              {t('layouts:board.noLimit')}
            </Button>
          )}
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" disabled={value === null || value < 1} onClick={() => onSave(value)}>
            {t('common:save')}
          </Button>
        </>
      }
    >
      <NumberInput
        label={t('layouts:board.limitLabel')}
        description={t('layouts:board.limitHelp')}
        value={value}
        onChange={setValue}
        min={1}
        max={100000}
        decimals={0}
        size="lg"
        autoFocus
      />
    </Modal>
  );
}
