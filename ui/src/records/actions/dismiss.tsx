import { useState } from 'react';
import { useTranslation } from '@/i18n';
import { Button, Modal, Select, Textarea } from '@/ui';
import css from './actions.module.css';
import { type Subject, useSay } from './say';

const REASONS = ['unfit', 'contacted', 'refused', 'worthless', 'wrong', 'else'] as const;

/** Asks why a play is no use for a customer. */
export function Dismiss({ subject, onClose }: { subject: Subject; onClose: () => void }) {
  const { t } = useTranslation(['actions', 'next']);
  const { run, busy } = useSay();
  const [reason, setReason] = useState<(typeof REASONS)[number]>('unfit');
  const [more, setMore] = useState('');
  return (
    <Modal opened title={t('actions:dismissing.title', { name: subject.name })} onClose={onClose} dirty={more !== ''}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          const words = [t(`actions:dismissing.reasons.${reason}`), more.trim()];
          run(
            {
              pick: 'dismissed',
              reason: words.filter(Boolean).join(' \u00b7 '),
              items: [{ customer: subject.customer, play: subject.play }],
            },
            t('next:pick.dismissed'),
          );
          onClose();
        }}
      >
        <p className="muted">{t('actions:dismissing.text')}</p>
        <Select
          label={t('actions:dismissing.reason')}
          value={reason}
          onChange={(next) => setReason(REASONS.find((one) => one === next) ?? 'else')}
          options={REASONS.map((one) => ({ value: one, label: t(`actions:dismissing.reasons.${one}`) }))}
        />
        <Textarea label={t('actions:dismissing.other')} value={more} onChange={setMore} />
        <div className={css.buttons}>
          <Button onClick={onClose}>{t('actions:form.cancel')}</Button>
          <Button kind="primary" type="submit" loading={busy}>
            {t('actions:dismissing.do')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
