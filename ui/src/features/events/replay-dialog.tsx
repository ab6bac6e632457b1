import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import {
  EVENT_STEPS,
  type EventStep,
  errorText,
  type RejectedWhich,
  type Replayed,
  tryReplay,
  useReplayEvents,
} from '@/api';
import { useTranslation } from '@/i18n';
import { Button, Drawer, IconButton, Select, TextInput, toast } from '@/ui';
import css from './events.module.css';

const CASTS = ['text', 'number', 'integer', 'bool'] as const;
/** Which inputs a step shows besides what it does. */
const PARTS: Record<EventStep['do'], readonly ('event' | 'property' | 'to' | 'cast')[]> = {
  rename_event: ['event'],
  rename: ['property', 'to'],
  cast: ['property', 'cast'],
  remove: ['property'],
  set: ['property', 'to'],
  user_id: ['property'],
};

const complete = (step: EventStep): boolean =>
  PARTS[step.do].every(
    (part) => (step[part === 'cast' ? 'to' : part] ?? '').trim() !== '' || (part === 'to' && step.do === 'set'),
  );

/** Repairs rejected events by steps, shows what becomes of the first of them, and takes them through the door again. */
export function ReplayDialog({ which, onClose }: { which: RejectedWhich; onClose: (done: boolean) => void }) {
  const { t } = useTranslation(['tracking', 'common']);
  const replay = useReplayEvents();
  const [steps, setSteps] = useState<EventStep[]>([]);
  const [tried, setTried] = useState<Replayed | null>(null);
  const [busy, setBusy] = useState(false);
  const [left, setLeft] = useState<Replayed['items']>([]);
  const ready = steps.every(complete);
  const change = (next: EventStep[]) => {
    setSteps(next);
    setTried(null);
  };
  const set = (at: number, part: Partial<EventStep>) =>
    change(steps.map((step, index) => (index === at ? { ...step, ...part } : step)));
  const look = async () => {
    setBusy(true);
    try {
      setTried(await tryReplay(which, steps));
    } catch (error) {
      toast.error(errorText(error));
    }
    setBusy(false);
  };
  const run = async () => {
    try {
      const done = await replay.mutateAsync({ which, steps });
      if (done.accepted + done.repeated > 0)
        toast.ok(t('tracking:replay.done', { count: done.accepted + done.repeated }));
      if (done.refused === 0) onClose(true);
      else {
        toast.error(t('tracking:replay.refused', { count: done.refused }));
        setLeft(done.items.filter((item) => item.code !== ''));
      }
    } catch (error) {
      toast.error(errorText(error));
    }
  };
  const input = (step: EventStep, at: number, part: 'event' | 'property' | 'to' | 'cast') => {
    if (part === 'cast')
      return (
        <Select
          key={part}
          label={t('tracking:plan.type')}
          value={step.to ?? null}
          onChange={(value) => set(at, { to: value ?? '' })}
          options={CASTS.map((value) => ({ value, label: t(`tracking:type.${value}`) }))}
        />
      );
    return (
      <TextInput
        key={part}
        label={t(part === 'to' ? `tracking:step.to_${step.do}` : `tracking:step.${part}`)}
        value={step[part] ?? ''}
        onChange={(value) => set(at, { [part]: value })}
      />
    );
  };
  return (
    <Drawer
      opened
      onClose={() => onClose(false)}
      title={t('tracking:replay.title')}
      size={680}
      dirty={steps.length > 0}
      footer={
        <>
          <Button onClick={() => onClose(false)}>{t('common:cancel')}</Button>
          <Button loading={busy} disabled={!ready} onClick={() => void look()}>
            {t('tracking:replay.try')}
          </Button>
          <Button kind="primary" loading={replay.isPending} disabled={!ready} onClick={() => void run()}>
            {t('tracking:replay.run')}
          </Button>
        </>
      }
    >
      <div className={css.stack}>
        <p className="muted">{t('tracking:replay.text')}</p>
        {steps.map((step, at) => (
          <div key={at} className={css.step}>
            <Select
              label={t('tracking:replay.step', { number: at + 1 })}
              value={step.do}
              onChange={(value) =>
                value !== null &&
                change(steps.map((each, index) => (index === at ? { do: value as EventStep['do'] } : each)))
              }
              options={EVENT_STEPS.map((value) => ({ value, label: t(`tracking:step.${value}`) }))}
            />
            {PARTS[step.do].map((part) => input(step, at, part))}
            <IconButton
              icon={<IconTrash size={16} />}
              label={t('tracking:replay.dropStep', { number: at + 1 })}
              onClick={() => change(steps.filter((_, index) => index !== at))}
            />
          </div>
        ))}
        <div>
          <Button icon={<IconPlus size={15} />} onClick={() => change([...steps, { do: 'rename' }])}>
            {t('tracking:replay.addStep')}
          </Button>
        </div>
        {left.length > 0 && (
          <ul className={css.trouble} role="alert">
            {left.map((item) => (
              <li key={item.id}>{item.text}</li>
            ))}
          </ul>
        )}
        {tried !== null && (
          <>
            <h3>{t('tracking:replay.preview')}</h3>
            {tried.items.slice(0, 3).map((item) => (
              <pre key={item.id} className={css.json}>
                {item.text !== '' ? item.text : JSON.stringify(item.body, null, 2)}
              </pre>
            ))}
          </>
        )}
      </div>
    </Drawer>
  );
}
