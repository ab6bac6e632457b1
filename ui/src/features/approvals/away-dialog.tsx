import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { type Away, awayQuery, errorText, setAway, usersQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useSession } from '@/metadata';
import own from '@/records/approval/approval.module.css';
import { Button, DatePicker, Modal, Select, SkeletonRows, toast } from '@/ui';

/** Who decides for me while I am away. */
export function AwayDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('approvals');
  const answer = useQuery({ ...awayQuery(), staleTime: 0 });
  if (answer.data === undefined || answer.isFetching)
    return (
      <Modal opened onClose={onClose} title={t('approvals:away.title')} size={440}>
        <SkeletonRows rows={3} />
      </Modal>
    );
  return <Form away={answer.data} onClose={onClose} />;
}

function Form({ away, onClose }: { away: Away; onClose: () => void }) {
  const { t } = useTranslation(['approvals', 'common']);
  const { user } = useSession();
  const { today } = useFormat();
  const client = useQueryClient();
  const people = (useQuery(usersQuery()).data?.items ?? []).filter((one) => !one.disabled && one.id !== user.id);
  const [deputy, setDeputy] = useState<string | null>(away.deputy?.id ?? null);
  const [since, setSince] = useState<string | null>(away.since?.slice(0, 10) ?? today());
  const [until, setUntil] = useState<string | null>(away.until?.slice(0, 10) ?? null);
  const [busy, setBusy] = useState(false);
  const save = async (who: string | null) => {
    setBusy(true);
    try {
      const next = await setAway({
        deputy: who,
        ...(since !== null && { since: new Date(`${since}T00:00:00`).toISOString() }),
        ...(until !== null && { until: new Date(`${until}T23:59:59`).toISOString() }),
      });
      client.setQueryData(awayQuery().queryKey, next);
      await client.invalidateQueries({ queryKey: ['approvals'] });
      toast.ok(t('common:saved'));
      onClose();
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
      setBusy(false);
    }
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('approvals:away.title')}
      size={440}
      footer={
        <>
          {away.deputy !== null && (
            <Button loading={busy} onClick={() => void save(null)}>
              {t('approvals:away.end')}
            </Button>
          )}
          <Button kind="primary" loading={busy} disabled={deputy === null} onClick={() => void save(deputy)}>
            {t('common:save')}
          </Button>
        </>
      }
    >
      <div className={own.form}>
        <p className="muted">{t('approvals:away.text')}</p>
        <Select
          label={t('approvals:away.deputy')}
          searchable
          options={people.map((one) => ({ value: one.id, label: one.name || one.email }))}
          value={deputy}
          onChange={setDeputy}
        />
        <DatePicker label={t('approvals:away.since')} value={since} onChange={setSince} />
        <DatePicker label={t('approvals:away.until')} value={until} onChange={setUntil} clearable />
      </div>
    </Modal>
  );
}
