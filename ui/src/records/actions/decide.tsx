import { IconDots } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { loadWords, useTranslation } from '@/i18n';
import { Button, IconButton, Menu } from '@/ui';
import css from './actions.module.css';
import { type Subject, useSay } from './say';

const Dismiss = lazy(() =>
  Promise.all([import('./dismiss'), loadWords('actions')]).then(([module]) => ({ default: module.Dismiss })),
);

const SNOOZES = { week: 7, month: 30, quarter: 90 } as const;

/** Accept, dismiss with a reason, or put off a play for a customer. */
export function Decide({ subject }: { subject: Subject }) {
  const { t } = useTranslation('next');
  const { run, busy } = useSay();
  const [dismissing, setDismissing] = useState(false);
  const items = [{ customer: subject.customer, play: subject.play }];
  const named = { name: subject.name, customer: subject.customerName };
  return (
    <span className={css.decide}>
      <Button
        loading={busy}
        aria-label={t('next:acceptOf', named)}
        onClick={() => run({ pick: 'taken', items }, t(`next:done.${subject.kind ?? 'task'}`))}
      >
        {t('next:accept')}
      </Button>
      <Menu
        position="bottom-end"
        target={<IconButton label={t('next:more', named)} icon={<IconDots size={16} />} />}
        entries={[
          { label: t('next:dismiss'), onSelect: () => setDismissing(true) },
          { divider: true },
          ...(Object.keys(SNOOZES) as (keyof typeof SNOOZES)[]).map((one) => ({
            label: t(`next:snooze.${one}`),
            onSelect: () =>
              run({ pick: 'snoozed', days: SNOOZES[one], items }, t('next:done.snoozed', { days: SNOOZES[one] })),
          })),
        ]}
      />
      {dismissing && (
        <Suspense fallback={null}>
          <Dismiss subject={subject} onClose={() => setDismissing(false)} />
        </Suspense>
      )}
    </span>
  );
}
