import { IconArrowMerge } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { isApiError, type MergePrefer, mergePreviewQuery, type ObjectType } from '@/api';
import { RecordSelect } from '@/fields';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useCan, useObject } from '@/metadata';
import { useMergeWork } from '@/records/merge/use-merge';
import { BackLink, Button, Closed, EmptyState, ErrorState, Page, SkeletonRows } from '@/ui';
import { Comparison } from './comparison';
import css from './merge.module.css';
import { MergeRules } from './rules';

/** Several records side by side, and what becomes of each field when they are one. */
export function MergePage() {
  const { object: key } = useParams({ from: '/app/merge/$object' });
  const object = useObject(key);
  const can = useCan();
  if (object === undefined) return <Closed cause="not_found" />;
  if (!can('record.merge')) return <Closed cause="no_permission" />;
  return <Merge key={key} object={object} />;
}

const MOST = 8;

function Merge({ object }: { object: ObjectType }) {
  const { t } = useTranslation(['merge', 'common']);
  const label = useLabel();
  const fmt = useFormat();
  const navigate = useNavigate();
  const { ids: text } = useSearch({ from: '/app/merge/$object' });
  const ids = [...new Set((text ?? '').split(',').filter(Boolean))];
  const [survivor, setSurvivor] = useState('');
  const [prefer, setPrefer] = useState<MergePrefer>('survivor');
  const [chosen, setChosen] = useState<Record<string, string>>({});
  const answer = useQuery(mergePreviewQuery(object.key, ids, ids.includes(survivor) ? survivor : '', prefer));
  const preview = answer.data;
  const { merge, busy } = useMergeWork(object.key);
  const setIds = (next: string[]) =>
    navigate({ to: '/merge/$object', params: { object: object.key }, search: { ids: next.join(',') }, replace: true });

  const run = async () => {
    if (preview === undefined) return;
    const stays = preview.records.find((record) => record.id === preview.survivor);
    const fields = Object.fromEntries(
      Object.entries(chosen).filter(([, from]) => from === 'united' || ids.includes(from)),
    );
    const done = await merge({
      survivor: preview.survivor,
      ids: ids.filter((id) => id !== preview.survivor),
      prefer,
      fields,
      ...(stays !== undefined && { version: stays.version }),
    });
    if (done !== null)
      await navigate({ to: '/o/$object/$id', params: { object: object.key, id: done.record.id }, search: {} });
    else await answer.refetch();
  };

  const body = () => {
    if (ids.length > 1 && answer.isError)
      return (
        <ErrorState error={answer.error} onRetry={isApiError(answer.error, 404) ? undefined : () => answer.refetch()} />
      );
    if (ids.length > 1 && preview === undefined) return <SkeletonRows rows={8} />;
    return (
      <div className={css.page}>
        {ids.length < 2 && <EmptyState cause="none" title={t('merge:few.title')} text={t('merge:few.text')} compact />}
        {ids.length < MOST && (
          <div className={css.add}>
            <RecordSelect
              object={object.key}
              label={t('merge:add', { name: label(object.label, object.key) })}
              value={null}
              onChange={(value) => {
                const id =
                  typeof value === 'object' && value !== null && 'id' in value ? String(value.id) : String(value ?? '');
                if (id !== '') setIds([...ids, id]);
              }}
            />
          </div>
        )}
        {preview !== undefined && ids.length > 1 && (
          <>
            <MergeRules prefer={prefer} onPrefer={setPrefer} />
            <Comparison
              object={object}
              preview={preview}
              chosen={chosen}
              onChoose={(field, from) => setChosen((old) => ({ ...old, [field]: from }))}
              onSurvivor={setSurvivor}
              onDrop={ids.length > 2 ? (id) => setIds(ids.filter((one) => one !== id)) : undefined}
            />
            <div className={css.foot}>
              <p className={css.effect} role="status">
                {t('merge:effect', { count: ids.length - 1 })}{' '}
                {preview.children.length > 0 &&
                  t('merge:moves', {
                    list: preview.children
                      .map((child) => `${label(child.label, child.object)} ${fmt.number(child.count)}`)
                      .join(t('merge:and')),
                  })}{' '}
                {t('merge:undoable')}
              </p>
              <Button
                kind="primary"
                size="lg"
                icon={<IconArrowMerge size={16} />}
                loading={busy}
                disabled={answer.isFetching}
                onClick={() => void run()}
              >
                {t('merge:merge', { count: ids.length })}
              </Button>
            </div>
          </>
        )}
      </div>
    );
  };
  return (
    <Page
      title={t('merge:title', { name: label(object.plural, object.key) })}
      back={
        <BackLink
          to="/o/$object"
          params={{ object: object.key }}
          search={{}}
          label={t('merge:back', { name: label(object.plural, object.key) })}
        />
      }
    >
      {body()}
    </Page>
  );
}
