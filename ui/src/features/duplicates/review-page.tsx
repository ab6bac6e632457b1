import { IconAdjustments, IconArrowMerge, IconSearch } from '@tabler/icons-react';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import {
  type DuplicateRun,
  decideDuplicates,
  duplicateGroupsQuery,
  errorText,
  mergeDuplicates,
  type ObjectType,
  searchDuplicates,
} from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useCan, useObject, useObjects } from '@/metadata';
import {
  Button,
  ButtonLink,
  Checkbox,
  Closed,
  confirm,
  EmptyState,
  ErrorState,
  Page,
  Progress,
  SegmentedControl,
  Select,
  SkeletonRows,
  toast,
} from '@/ui';
import css from './duplicates.module.css';
import { GroupCard } from './group-card';

/** What a search over everything found: groups to compare, merge, put off, or say no to. */
export function ReviewPage() {
  const { object: key } = useParams({ from: '/app/duplicates/$object' });
  const object = useObject(key);
  const can = useCan();
  if (object === undefined) return <Closed cause="not_found" />;
  if (!can('record.merge')) return <Closed cause="no_permission" />;
  return <Review key={key} object={object} />;
}

const PAGE = 20;

function Review({ object }: { object: ObjectType }) {
  const { t } = useTranslation(['duplicates', 'common']);
  const label = useLabel();
  const can = useCan();
  const navigate = useNavigate();
  const client = useQueryClient();
  const objects = useObjects().filter((one) => one.actions.update && one.actions.delete);
  const [later, setLater] = useState(false);
  const [offset, setOffset] = useState(0);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [busy, setBusy] = useState(false);
  const answer = useQuery({
    ...duplicateGroupsQuery(object.key, later, offset),
    placeholderData: keepPreviousData,
  });
  const groups = answer.data?.items ?? [];
  const sure = groups.filter((group) => group.sure).map((group) => group.id);
  const total = answer.data?.total ?? 0;
  const run = answer.data?.run ?? null;

  const guarded = async (work: () => Promise<unknown>) => {
    setBusy(true);
    try {
      await work();
      setChosen([]);
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    } finally {
      setBusy(false);
      await client.invalidateQueries({ queryKey: ['duplicates', object.key] });
    }
  };
  const search = () => guarded(() => searchDuplicates(object.key));
  const decide = (ids: string[], decision: 'not_same' | 'later' | 'open') =>
    guarded(async () => {
      const done = await decideDuplicates(object.key, ids, decision);
      toast.ok(t('duplicates:page.decided', { count: done.groups }));
    });
  const merge = async () => {
    const yes = await confirm({
      title: t('duplicates:page.confirm', { count: chosen.length }),
      text: t('duplicates:page.confirmText'),
      confirm: t('duplicates:page.merge'),
    });
    if (!yes) return;
    await guarded(async () => {
      const done = await mergeDuplicates(object.key, [...chosen]);
      await client.invalidateQueries({ queryKey: ['records'] });
      if (done.failed > 0)
        toast.error(t('duplicates:page.mergeFailed', { count: done.failed }), {
          ...(done.error !== undefined && { detail: done.error.title }),
        });
      if (done.groups > 0) toast.ok(t('duplicates:page.mergedSure', { groups: done.groups, records: done.records }));
    });
  };
  const body = () => {
    if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} />;
    if (answer.data === undefined) return <SkeletonRows rows={8} />;
    if (groups.length === 0)
      return <EmptyState cause="none" title={t('duplicates:page.none')} text={t('duplicates:page.noneText')} />;
    return (
      <>
        {sure.length > 0 && !later && (
          <div className={css.bar}>
            <Checkbox
              checked={chosen.length > 0 && chosen.length === sure.length}
              indeterminate={chosen.length > 0 && chosen.length < sure.length}
              onChange={(on) => setChosen(on ? sure : [])}
              label={t('duplicates:page.selectAll')}
            />
            {chosen.length > 0 && (
              <Button kind="primary" loading={busy} icon={<IconArrowMerge size={15} />} onClick={() => void merge()}>
                {t('duplicates:page.mergeSure', { count: chosen.length })}
              </Button>
            )}
          </div>
        )}
        {groups.map((group) => (
          <GroupCard
            key={group.id}
            object={object}
            group={group}
            busy={busy}
            chosen={chosen.includes(group.id)}
            onChoose={(on) => setChosen(on ? [...chosen, group.id] : chosen.filter((one) => one !== group.id))}
            onDecide={(decision) => void decide([group.id], decision)}
          />
        ))}
        <div className={css.pages}>
          <span className="muted">{t('duplicates:page.total', { count: total })}</span>
          <Button disabled={offset === 0} onClick={() => setOffset(Math.max(0, offset - PAGE))}>
            {t('duplicates:page.less')}
          </Button>
          <Button disabled={offset + PAGE >= total} onClick={() => setOffset(offset + PAGE)}>
            {t('duplicates:page.more')}
          </Button>
        </div>
      </>
    );
  };
  return (
    <Page
      title={t('duplicates:title')}
      actions={
        <>
          {can('duplicate.manage') && (
            <ButtonLink to="/settings/duplicates" icon={<IconAdjustments size={15} />}>
              {t('duplicates:page.rules')}
            </ButtonLink>
          )}
          <Button
            kind="primary"
            icon={<IconSearch size={15} />}
            loading={busy}
            disabled={run?.state === 'running'}
            onClick={() => void search()}
          >
            {t('duplicates:page.search')}
          </Button>
        </>
      }
    >
      <div className={css.page}>
        <div className={css.bar}>
          <Select
            aria-label={t('duplicates:page.object')}
            value={object.key}
            onChange={(next) =>
              next !== null && navigate({ to: '/duplicates/$object', params: { object: next }, replace: true })
            }
            options={objects.map((one) => ({ value: one.key, label: label(one.plural, one.key) }))}
          />
          <SegmentedControl
            label={t('duplicates:title')}
            value={later ? 'later' : 'open'}
            onChange={(next) => {
              setLater(next === 'later');
              setOffset(0);
              setChosen([]);
            }}
            options={[
              { value: 'open', label: t('duplicates:page.open') },
              { value: 'later', label: t('duplicates:page.later') },
            ]}
          />
          <RunState run={run} />
        </div>
        {body()}
      </div>
    </Page>
  );
}

function RunState({ run }: { run: DuplicateRun | null }) {
  const { t } = useTranslation('duplicates');
  const fmt = useFormat();
  if (run === null) return <span className="muted">{t('duplicates:page.never')}</span>;
  const words = { scanned: fmt.number(run.scanned), found: fmt.number(run.found) };
  if (run.state === 'running')
    return (
      <span className={css.running} role="status">
        {t('duplicates:page.searching', words)}
        <Progress
          value={run.candidates > 0 ? run.compared / run.candidates : null}
          label={t('duplicates:page.searching', words)}
        />
      </span>
    );
  return (
    <span className="muted" role="status">
      {run.state === 'failed' ? t('duplicates:page.failed') : t('duplicates:page.last', words)}
      {run.ended_at !== null && ` \u00b7 ${fmt.relative(run.ended_at)}`}
    </span>
  );
}
