import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { errorText, manualAutomationsQuery, type ObjectType, type PressSet, pressAutomation, recordKeys } from '@/api';
import { useTranslation } from '@/i18n';
import { Button, EmptyState, ErrorState, Modal, SkeletonRows, toast } from '@/ui';
import css from './press-dialog.module.css';

interface Props {
  object: ObjectType;
  set: PressSet;
  onClose: () => void;
}

/** The rules that are begun by hand, with a button each. */
export function PressDialog({ object, set, onClose }: Props) {
  const { t } = useTranslation(['automations', 'common']);
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(manualAutomationsQuery(object.key));
  // One pressing is one request, however often it is sent.
  const [request] = useState(() => crypto.randomUUID());
  const [busy, setBusy] = useState<string | null>(null);
  const press = async (rule: string) => {
    setBusy(rule);
    try {
      const { count } = await pressAutomation(rule, set, request);
      if (count === 0) toast.error(t('automations:press.unfit'));
      else toast.ok(t('automations:press.done', { count }));
      await client.invalidateQueries({ queryKey: recordKeys.object(object.key) });
      onClose();
    } catch (failed) {
      toast.error(t('common:failed.save'), { detail: errorText(failed) });
    }
    setBusy(null);
  };
  return (
    <Modal opened onClose={onClose} title={t('automations:press.title')}>
      {data === undefined && error === null && <SkeletonRows rows={2} />}
      {error !== null && <ErrorState compact error={error} onRetry={() => refetch()} />}
      {data?.items.length === 0 && <EmptyState compact cause="none" title={t('automations:press.none')} />}
      <ul className={css.list}>
        {data?.items.map((rule) => (
          <li key={rule.id} className={css.line}>
            <span className={css.name}>
              <strong>{rule.name}</strong>
              {rule.description !== '' && <span className="muted">{rule.description}</span>}
            </span>
            <Button kind="primary" loading={busy === rule.id} onClick={() => void press(rule.id)}>
              {t('automations:press.run')}
            </Button>
          </li>
        ))}
      </ul>
    </Modal>
  );
}
