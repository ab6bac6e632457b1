import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ERASURE_REASONS, erasurePreviewQuery, isApiError, type ObjectType, type RecordData, useErase } from '@/api';
import { useTranslation } from '@/i18n';
import { Button, ErrorState, Modal, Select, SkeletonRows, TextInput, toast } from '@/ui';
import { Counts } from './counts';
import css from './privacy.module.css';

interface Props {
  object: ObjectType;
  record: RecordData;
  onClose: () => void;
  onBack: () => void;
}

/** Shows everything that would go, asks why, and wants the name typed before it begins. */
export function EraseForm({ object, record, onClose, onBack }: Props) {
  const { t } = useTranslation(['privacy', 'common']);
  const preview = useQuery({ ...erasurePreviewQuery(object.key, record.id), staleTime: 0 });
  const erase = useErase(object.key, record.id);
  const [reason, setReason] = useState<string | null>('request');
  const [reference, setReference] = useState('');
  const [typed, setTyped] = useState('');
  const data = preview.data;
  const blocked = data === undefined || data.hold !== null || data.running !== null;
  const ready = !blocked && reason !== null && typed.trim() === record.title.trim();
  const problem = isApiError(erase.error) ? (erase.error.fields[0]?.message ?? erase.error.message) : null;
  const submit = async () => {
    if (!ready || reason === null) return;
    try {
      const answer = await erase.mutateAsync({ reason, reference: reference.trim(), confirm: record.id });
      toast.ok(answer.state === 'waiting' ? t('privacy:erase.waiting') : t('privacy:erase.begun'));
      onClose();
    } catch {
      // Shown below.
    }
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('privacy:erase.title', { name: record.title })}
      size={560}
      footer={
        <>
          <Button onClick={onBack}>{t('common:back')}</Button>
          <Button kind="danger" disabled={!ready} loading={erase.isPending} onClick={() => void submit()}>
            {data?.second_person === true ? t('privacy:erase.ask') : t('privacy:erase.do')}
          </Button>
        </>
      }
    >
      <div className={css.form} aria-live="polite">
        {preview.isPending && <SkeletonRows rows={6} />}
        {preview.error !== null && <ErrorState compact error={preview.error} onRetry={() => preview.refetch()} />}
        {data !== undefined && (
          <>
            <p className={css.note}>{t('privacy:erase.goes')}</p>
            <Counts counts={data.counts} />
            {data.merged > 0 && <p className={css.note}>{t('privacy:erase.merged', { count: data.merged })}</p>}
            {data.hold !== null && <p className={css.warn}>{t('privacy:erase.held', { reason: data.hold.reason })}</p>}
            {data.running !== null && <p className={css.warn}>{t('privacy:erase.running')}</p>}
            {!blocked && (
              <>
                <p className={css.warn}>{t('privacy:erase.final')}</p>
                {data.second_person && <p className={css.note}>{t('privacy:erase.second')}</p>}
                <Select
                  label={t('privacy:erase.reason')}
                  required
                  options={ERASURE_REASONS.map((each) => ({ value: each, label: t(`privacy:reason.${each}`) }))}
                  value={reason}
                  onChange={setReason}
                />
                <TextInput
                  label={t('privacy:erase.reference')}
                  description={t('privacy:erase.referenceHelp')}
                  value={reference}
                  onChange={setReference}
                  maxLength={100}
                />
                <TextInput
                  label={t('privacy:erase.type', { name: record.title })}
                  required
                  autoComplete="off"
                  value={typed}
                  onChange={setTyped}
                  onEnter={() => void submit()}
                />
              </>
            )}
            {problem !== null && (
              <p className={css.bad} role="alert">
                {problem}
              </p>
            )}
          </>
        )}
      </div>
    </Modal>
  );
}
