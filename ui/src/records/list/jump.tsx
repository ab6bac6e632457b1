import { IconArrowBarToDown } from '@tabler/icons-react';
import { useState } from 'react';
import type { Field } from '@/api';
import { OperandEditor, operandComplete } from '@/fields';
import { labelText, useLanguage, useTranslation } from '@/i18n';
import { findField, traitAsField } from '@/metadata';
import { Button, Modal } from '@/ui';
import { jumpOperator } from '../list-state';
import css from './list.module.css';
import type { List } from './use-list';

/** The field that a list is sorted by first. */
export function sortField(list: List): Field | null {
  const first = list.state.sort[0];
  const trait = list.traits.find((candidate) => candidate.key === first?.trait);
  if (trait !== undefined) return traitAsField(trait);
  return findField(list.object, first?.field ?? '') ?? null;
}

/** Begins the list at a value of its sort: the way to the middle of a very long list. */
export function Jump({ list }: { list: List }) {
  const { t } = useTranslation(['records', 'common']);
  const language = useLanguage();
  const [opened, setOpened] = useState(false);
  const [value, setValue] = useState<unknown>(null);
  const field = sortField(list);
  const op = field === null ? null : jumpOperator(field, list.state.sort[0]?.desc === true);
  if (field === null || op === null) return null;
  const name = labelText(field.label, language, field.key);
  const go = () => {
    setOpened(false);
    list.setFrom(value);
  };
  return (
    <>
      <button
        type="button"
        className={css.footButton}
        onClick={() => {
          setValue(list.state.from ?? null);
          setOpened(true);
        }}
      >
        <IconArrowBarToDown size={14} />
        {t('records:jump.title')}
      </button>
      {opened && (
        <Modal
          opened
          onClose={() => setOpened(false)}
          title={t('records:jump.title')}
          size={400}
          footer={
            <>
              <Button onClick={() => setOpened(false)}>{t('common:cancel')}</Button>
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
      )}
    </>
  );
}
