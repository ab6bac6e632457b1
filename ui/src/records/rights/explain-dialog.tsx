import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { explainQuery, type ObjectType, type RecordData, usersQuery } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useCan, useSession } from '@/metadata';
import { ErrorState, Modal, Select, SkeletonRows } from '@/ui';
import { Reasons } from './reasons';
import css from './rights.module.css';

interface Props {
  object: Pick<ObjectType, 'key'>;
  record: Pick<RecordData, 'id' | 'title'>;
  onClose: () => void;
}

/** Why somebody sees a record, or does not. */
export function ExplainDialog({ object, record, onClose }: Props) {
  const { t } = useTranslation('rights');
  const label = useLabel();
  const can = useCan();
  const me = useSession().user;
  const [user, setUser] = useState(me.id);
  const users = useQuery({ ...usersQuery(), enabled: can('user.manage') });
  const answer = useQuery(explainQuery(object.key, record.id, user));
  return (
    <Modal opened onClose={onClose} title={t('rights:explain.title', { name: record.title })} size={600}>
      <div className={css.form}>
        {can('user.manage') && (
          <Select
            label={t('rights:explain.who')}
            searchable
            options={(users.data?.items ?? []).map((each) => ({ value: each.id, label: each.name || each.email }))}
            value={user}
            onChange={(next) => next !== null && setUser(next)}
          />
        )}
        {answer.isError && <ErrorState compact error={answer.error} onRetry={() => answer.refetch()} />}
        {answer.data === undefined && !answer.isError && <SkeletonRows rows={5} />}
        {answer.data !== undefined && (
          <>
            <p>{t('rights:explain.role', { name: answer.data.user.title, role: label(answer.data.role) })}</p>
            <Reasons explanation={answer.data} />
          </>
        )}
      </div>
    </Modal>
  );
}
