import { useState } from 'react';
import type { Field, Operator } from '@/api';
import { OperandEditor, operandComplete } from '@/fields';
import { labelText, useLanguage, useTranslation } from '@/i18n';
import { Button, Modal } from '@/ui';
import type { List } from './use-list';

interface Props {
  list: List;
  field: Field;
  op: Operator;
  onClose: () => void;
}

export function JumpDialog({ list, field, op, onClose }: Props) {
  const { t } = useTranslation(['records', 'common']);
  const language = useLanguage();
  const [value, setValue] = useState<unknown>(list.state.from ?? null);
  const name = labelText(field.label, language, field.key);
  const go = () => {
    onClose();
    list.setFrom(value);
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('records:jump.title')}
      size={400}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" disabled={!operandComplete(op, field, value)} onClick={go}>
            {t('records:jump.go')}
          </Button>
        </>
      }
    >
      <p className="muted" style={{ marginBottom: 10 }}>
        {t('records:jump.text', { name })}
      </p>
      <OperandEditor field={field} op={op} value={value} onChange={setValue} label={name} />
    </Modal>
  );
}
