import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { explainQuery, type Ref, usersQuery } from '@/api';
import { RecordSelect } from '@/fields';
import { useLabel, useTranslation } from '@/i18n';
import { useObjects } from '@/metadata';
import { Reasons } from '@/records/rights/reasons';
import { ErrorState, Panel, Select, SkeletonRows } from '@/ui';
import css from './roles.module.css';

/** Why somebody sees a record or does not: choose the person and the record. */
export function ExplainPanel() {
  const { t } = useTranslation('rights');
  const label = useLabel();
  const objects = useObjects().filter((object) => !object.hidden);
  const users = useQuery(usersQuery());
  const [user, setUser] = useState<string | null>(null);
  const [object, setObject] = useState(objects[0]?.key ?? 'customer');
  const [record, setRecord] = useState<Ref | null>(null);
  const chosen = user !== null && record !== null;
  const answer = useQuery({ ...explainQuery(object, record?.id ?? '', user ?? ''), enabled: chosen });
  return (
    <Panel title={t('rights:why.title')}>
      <p className="muted">{t('rights:why.text')}</p>
      <div className={css.previewBar}>
        <Select
          label={t('rights:explain.who')}
          searchable
          options={(users.data?.items ?? []).map((each) => ({ value: each.id, label: each.name || each.email }))}
          value={user}
          onChange={setUser}
        />
        <Select
          label={t('rights:matrix.object')}
          options={objects.map((each) => ({ value: each.key, label: label(each.label, each.key) }))}
          value={object}
          onChange={(next) => {
            if (next === null) return;
            setObject(next);
            setRecord(null);
          }}
        />
        <RecordSelect key={object} label={t('rights:why.record')} object={object} value={record} onChange={setRecord} />
      </div>
      {chosen && answer.isError && <ErrorState compact error={answer.error} onRetry={() => answer.refetch()} />}
      {chosen && answer.data === undefined && !answer.isError && <SkeletonRows rows={5} />}
      {chosen && answer.data !== undefined && (
        <>
          <p>{t('rights:explain.role', { name: answer.data.user.title, role: label(answer.data.role) })}</p>
          <Reasons explanation={answer.data} />
        </>
      )}
    </Panel>
  );
}
