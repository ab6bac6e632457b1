import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import {
  type ClosedGate,
  errorText,
  type FieldValues,
  isApiError,
  isApprovalNeeded,
  patchRecordCache,
  recordKeys,
  updateRecord,
} from '@/api';
import { FieldEditor, kindOf } from '@/fields';
import { labelText, useLanguage, useTranslation } from '@/i18n';
import { findField, useObject } from '@/metadata';
import { Button, Modal, toast } from '@/ui';
import css from './stage.module.css';

/** A stage asks for more before it is entered: what can be filled in is, in one go. */
export function GateDialog({ gate, onClose }: { gate: ClosedGate; onClose: () => void }) {
  const { t } = useTranslation(['stages', 'common']);
  const language = useLanguage();
  const client = useQueryClient();
  const { record } = gate;
  const object = useObject(record.object);
  const [values, setValues] = useState<FieldValues>({});
  const [reasons, setReasons] = useState(gate.reasons);
  const [faults, setFaults] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);
  const fields = gate.missing.flatMap((key) => findField(object, key) ?? []);
  const send = async () => {
    setBusy(true);
    const all = { ...gate.values, ...values };
    const input = Object.fromEntries(
      Object.entries(all).map(([key, value]) => {
        const field = findField(object, key);
        return [key, field === undefined ? value : kindOf(field.type).toWrite(value)];
      }),
    );
    try {
      patchRecordCache(client, await updateRecord(record.object, record.id, input, record.version));
      await client.invalidateQueries({ queryKey: recordKeys.object(record.object) });
      toast.ok(t('common:saved'));
      onClose();
    } catch (error) {
      if (isApprovalNeeded(error)) return onClose();
      const told = isApiError(error) ? error.fields : [];
      setFaults(Object.fromEntries(told.map((one) => [one.location.replace(/^fields\./, ''), one.message])));
      const rest = told.filter((one) => !gate.missing.includes(one.location.replace(/^fields\./, '')));
      setReasons(told.length === 0 ? [errorText(error)] : rest.map((one) => one.message));
      setBusy(false);
    }
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('stages:gate.title')}
      size={460}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          {fields.length > 0 && (
            <Button kind="primary" loading={busy} onClick={() => void send()}>
              {t('stages:gate.move')}
            </Button>
          )}
        </>
      }
    >
      <div className={css.form}>
        {reasons.length > 0 && (
          <ul className={css.reasons} role="alert">
            {reasons.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        )}
        {fields.length > 0 && <p className="muted">{t('stages:gate.text')}</p>}
        {fields.map((field, index) => (
          <FieldEditor
            key={field.key}
            field={field}
            value={values[field.key] ?? null}
            onChange={(next) => setValues((old) => ({ ...old, [field.key]: next }))}
            label={labelText(field.label, language, field.key)}
            error={faults[field.key]}
            autoFocus={index === 0}
            required
          />
        ))}
      </div>
    </Modal>
  );
}
