import { useQuery } from '@tanstack/react-query';
import { approvalCountQuery } from '@/api';
import { useTranslation } from '@/i18n';
import css from './frame.module.css';

/** How many requests wait for me. */
export function ApprovalCount() {
  const { t } = useTranslation('shell');
  const count = useQuery(approvalCountQuery()).data?.count ?? 0;
  if (count === 0) return null;
  return (
    <span className={css.navCount} title={t('shell:approvalsWaiting', { count })}>
      {count > 99 ? '99+' : count}
    </span>
  );
}
