import type { ImportRun, ImportStatus } from '@/api';
import { useTranslation } from '@/i18n';
import { Dot } from '@/ui';

const COLORS: Record<ImportStatus, string> = {
  uploaded: 'amber',
  checking: 'blue',
  checked: 'amber',
  running: 'blue',
  done: 'green',
  failed: 'red',
  cancelled: 'gray',
  undoing: 'blue',
  undone: 'gray',
};

export function ImportStatusDot({ run }: { run: ImportRun }) {
  const { t } = useTranslation('imports');
  return <Dot color={COLORS[run.status]}>{t(`imports:status.${run.status}`)}</Dot>;
}
