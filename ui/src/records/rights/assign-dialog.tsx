import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { isApiError, type ObjectType, type RecordData, useAssign, usersQuery } from '@/api';
import { isRef } from '@/fields';
import { useTranslation } from '@/i18n';
import { Button, Modal, Select, toast } from '@/ui';
import css from './rights.module.css';

interface Props {
  object: ObjectType;
  record: RecordData;
  onClose: () => void;
  /** The record went out of sight. */
  onGone: () => void;
}

/** Another owner for a record: an operation of its own, with a right of its own. */
export function AssignDialog({ object, record, onClose, onGone }: Props) {
  const { t } = useTranslation(['rights', 'common']);
  const users = useQuery(usersQuery());
  const assign = useAssign(object.key);
  const now = record.fields[object.owner_field ?? 'owner'];
  const [owner, setOwner] = useState<string | null>(isRef(now) ? now.id : null);
  const problem = isApiError(assign.error) ? (assign.error.fields[0]?.message ?? assign.error.message) : null;
  const submit = () =>
    assign.mutate(
      { id: record.id, version: record.version, owner },
      {
        onSuccess: (answer) => {
          toast.ok(t('common:saved'));
          onClose();
          if (answer.record === null) onGone();
        },
      },
    );
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('rights:assign.title', { name: record.title })}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" loading={assign.isPending} onClick={submit}>
            {t('common:save')}
          </Button>
        </>
      }
    >
      <div className={css.form}>
        <Select
          label={t('rights:assign.owner')}
          placeholder={t('rights:assign.nobody')}
          searchable
          clearable
          options={(users.data?.items ?? [])
            .filter((user) => !user.disabled || user.id === owner)
            .map((user) => ({ value: user.id, label: user.name || user.email }))}
          value={owner}
          onChange={setOwner}
        />
        {problem !== null && (
          <p className={css.bad} role="alert">
            {problem}
          </p>
        )}
      </div>
    </Modal>
  );
}
