import type { FieldValues, ObjectType, RecordData } from '@/api';
import { FieldView, useFieldContext } from '@/fields';
import { labelText, useLanguage, useTranslation } from '@/i18n';
import { findField } from '@/metadata';
import { Button, Modal } from '@/ui';
import css from './conflict.module.css';

interface Props {
  object: ObjectType;
  theirs: RecordData;
  mine: FieldValues;
  onKeepTheirs: () => void;
  onTakeMine: () => void;
}

/** Somebody saved the record meanwhile: their values beside mine. Nothing is overwritten without a decision. */
export function ConflictDialog({ object, theirs, mine, onKeepTheirs, onTakeMine }: Props) {
  const { t } = useTranslation(['dialogs', 'records']);
  const language = useLanguage();
  const context = useFieldContext();
  return (
    <Modal
      opened
      onClose={onKeepTheirs}
      title={t('dialogs:conflict.title')}
      size={560}
      footer={
        <>
          <Button onClick={onKeepTheirs}>{t('dialogs:conflict.keepTheirs')}</Button>
          <Button kind="primary" onClick={onTakeMine}>
            {t('dialogs:conflict.takeMine')}
          </Button>
        </>
      }
    >
      <p className="muted">{t('dialogs:conflict.text', { title: theirs.title })}</p>
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">{t('dialogs:conflict.field')}</th>
            <th scope="col">{t('dialogs:conflict.theirs')}</th>
            <th scope="col">{t('dialogs:conflict.mine')}</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(mine).map(([key, value]) => {
            const field = findField(object, key);
            if (field === undefined) return null;
            return (
              <tr key={key}>
                <th scope="row">{labelText(field.label, language, key)}</th>
                <td>
                  <FieldView field={field} value={theirs.fields[key]} context={context} />
                </td>
                <td className={css.mine}>
                  <FieldView field={field} value={value} context={context} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Modal>
  );
}
