import type { Approval, ApprovalState, ApprovalTask } from '@/api';
import { useLabel, useTranslation } from '@/i18n';

export const STATE_HUES: Record<ApprovalState, string> = {
  pending: 'amber',
  returned: 'orange',
  approved: 'blue',
  applied: 'green',
  rejected: 'red',
  withdrawn: 'gray',
  failed: 'red',
};

export const TASK_HUES: Record<ApprovalTask['state'], string> = {
  waiting: 'gray',
  pending: 'amber',
  approved: 'green',
  rejected: 'red',
  returned: 'orange',
  handed: 'blue',
  escalated: 'orange',
  cancelled: 'gray',
};

/** What a request is about, in one line: "修改客户：王小姐". */
export function useRequestTitle(): (request: Approval) => string {
  const { t } = useTranslation('approvals');
  const label = useLabel();
  return (request) => {
    const action = request.assign ? 'assign' : request.action;
    const what = t(`approvals:doing.${action}`, { name: label(request.label, request.object) });
    const name = request.title || request.record?.title || '';
    return name === '' ? what : t('approvals:about', { what, name });
  };
}
