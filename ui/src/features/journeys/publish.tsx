import { useState } from 'react';
import { errorText, type Journey, usePublishJourney } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Button, Modal, RadioGroup, toast } from '@/ui';
import css from './journeys.module.css';

const FLIGHTS = ['finish', 'move', 'leave'] as const;

/** Publishing asks what becomes of those on the way. */
export function Publish({ journey, on, onClose }: { journey: Journey; on: number; onClose: () => void }) {
  const { t } = useTranslation(['journeys', 'common']);
  const fmt = useFormat();
  const [flight, setFlight] = useState<(typeof FLIGHTS)[number]>('finish');
  const publish = usePublishJourney();
  const go = () =>
    publish.mutate(
      { id: journey.id, version: journey.version, flight },
      {
        onSuccess: () => {
          toast.ok(t('journeys:published'));
          onClose();
        },
        onError: (error) => toast.error(errorText(error)),
      },
    );
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('journeys:publishAsk', { name: journey.name })}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" loading={publish.isPending} onClick={go}>
            {t('journeys:publish')}
          </Button>
        </>
      }
    >
      <div className={css.form}>
        <p className={css.note}>{t('journeys:publishText', { version: journey.published + 1 })}</p>
        {on > 0 && (
          <RadioGroup
            label={t('journeys:flight.title', { count: on, shown: fmt.number(on) })}
            value={flight}
            onChange={setFlight}
            options={FLIGHTS.map((value) => ({
              value,
              label: t(`journeys:flight.${value}`),
              description: t(`journeys:flight.${value}Text`),
            }))}
          />
        )}
      </div>
    </Modal>
  );
}
