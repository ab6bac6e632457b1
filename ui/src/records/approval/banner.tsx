import type { RecordApprovals } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { ButtonLink } from '@/ui';
import { Notice } from '../page/layout';

/** Over a record: what of it is being approved and cannot be changed meanwhile. */
export function ApprovalBanner({ locks }: { locks: RecordApprovals['locks'] }) {
  const { t } = useTranslation('approvals');
  const label = useLabel();
  return (
    <>
      {locks.map((lock) => (
        <Notice
          key={lock.request}
          action={
            <ButtonLink to="/approvals" search={{ id: lock.request }}>
              {t('approvals:banner.show')}
            </ButtonLink>
          }
        >
          {lock.whole
            ? t('approvals:banner.whole', { name: lock.name })
            : t('approvals:banner.fields', {
                name: lock.name,
                fields: lock.labels.map((one) => label(one)).join(t('approvals:comma')),
              })}
        </Notice>
      ))}
    </>
  );
}
