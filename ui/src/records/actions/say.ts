import { type Decision, errorText, useDecide } from '@/api';
import { useTranslation } from '@/i18n';
import { toast } from '@/ui';

export interface Subject {
  customer: string;
  customerName: string;
  play: string;
  name: string;
  kind?: 'task' | 'rule' | 'note' | undefined;
}

/** Says what became of a decision. */
export function useSay() {
  const { t } = useTranslation('next');
  const decide = useDecide();
  const run = (decision: Decision, done: string) =>
    decide.mutate(decision, {
      onSuccess: (got) => {
        const failed = got.items.filter((one) => one.error !== null);
        if (failed.length === 0) toast.ok(done);
        else
          toast.error(
            t('next:done.partly', { done: got.done, failed: failed.length, why: failed[0]?.error?.title ?? '' }),
          );
      },
      onError: (error) => toast.error(t('next:done.failed'), { detail: errorText(error) }),
    });
  return { run, busy: decide.isPending };
}
