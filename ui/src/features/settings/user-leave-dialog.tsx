import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { isApiError, type User, useHandOverViews, usersQuery, useSaveUser } from '@/api';
import { useTranslation } from '@/i18n';
import { Button, Modal, Select, toast } from '@/ui';
import css from './settings.module.css';

interface Props {
  user: User;
  /** How many saved views are the person's. */
  views: number;
  onClose: () => void;
}

/** Gives the saved views of a person to another one, and shuts the person out when that was asked. */
export function UserLeaveDialog({ user, views, onClose }: Props) {
  const { t } = useTranslation(['sharing', 'common']);
  const people = useQuery(usersQuery()).data?.items ?? [];
  const move = useHandOverViews();
  const save = useSaveUser();
  const [to, setTo] = useState<string | null>(null);
  const name = user.name || user.email;
  const leaving = !user.disabled;
  const failure = move.error ?? save.error;
  const go = async (handing: boolean) => {
    try {
      if (handing && to !== null) {
        const { views: moved } = await move.mutateAsync({ from: user.id, to });
        toast.ok(t('sharing:leave.moved', { count: moved }));
      }
      if (leaving) await save.mutateAsync({ id: user.id, change: { disabled: true } });
      onClose();
    } catch {
      // Told in the dialog.
    }
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={leaving ? t('sharing:leave.title', { name }) : t('sharing:leave.move', { name })}
      size={440}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          {leaving && (
            <Button loading={save.isPending} disabled={move.isPending} onClick={() => void go(false)}>
              {t('sharing:leave.keep')}
            </Button>
          )}
          <Button kind="primary" disabled={to === null} loading={move.isPending} onClick={() => void go(true)}>
            {leaving ? t('sharing:leave.disable') : t('sharing:leave.only')}
          </Button>
        </>
      }
    >
      <div className={css.form}>
        {leaving && <p>{t('sharing:leave.disableText')}</p>}
        <p>{t('sharing:leave.text', { name, count: views })}</p>
        <Select
          label={t('sharing:leave.to')}
          searchable
          options={people
            .filter((each) => !each.disabled && each.id !== user.id)
            .map((each) => ({ value: each.id, label: each.name || each.email }))}
          value={to}
          onChange={setTo}
        />
        {isApiError(failure) && (
          <p className={css.bad} role="alert">
            {failure.fields[0]?.message ?? failure.message}
          </p>
        )}
      </div>
    </Modal>
  );
}
