import { IconDownload, IconPlus, IconUpload, IconWand } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import {
  draftEventPlan,
  type EventPlan,
  errorText,
  eventPlanQuery,
  isApiError,
  PLAN_ACTS,
  type PlanAct,
  type PlannedEvent,
  useSetEventPlan,
} from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { saveText } from '@/lib/download';
import { useCan } from '@/metadata';
import { Button, EmptyState, ErrorState, Panel, Pill, prose, Select, SkeletonRows, Table, toast } from '@/ui';
import css from './events.module.css';
import { PlanEventDialog } from './plan-event';
import { readPlan } from './plan-file';

/** What events should be. It is edited as a whole and saved as a whole. */
export function PlanPart() {
  const { data, error, isPending, refetch } = useQuery(eventPlanQuery());
  if (isPending) return <SkeletonRows rows={6} />;
  if (data === undefined) return <ErrorState compact error={error} onRetry={() => refetch()} />;
  return <Editor key={data.version} plan={data} />;
}

const ACT_HUES: Record<PlanAct, string> = { allow: 'gray', flag: 'amber', quarantine: 'red' };

function Editor({ plan }: { plan: EventPlan }) {
  const { t } = useTranslation(['tracking', 'common']);
  const fmt = useFormat();
  const can = useCan();
  const save = useSetEventPlan();
  const [draft, setDraft] = useState(plan);
  const [edited, setEdited] = useState<number | 'new' | null>(null);
  const file = useRef<HTMLInputElement>(null);
  const manages = can('event.manage');
  const dirty = draft !== plan;
  const put = (at: number | 'new', event: PlannedEvent | null) => {
    const events = draft.events.filter((_, index) => index !== at);
    if (event !== null) events.push(event);
    events.sort((a, b) => (a.name < b.name ? -1 : 1));
    setDraft({ ...draft, events });
    setEdited(null);
  };
  const send = async () => {
    try {
      await save.mutateAsync(draft);
      toast.ok(t('tracking:plan.saved'));
    } catch (failure) {
      const detail = isApiError(failure, 422) ? failure.fields.map((each) => `${each.location}: ${each.message}`) : [];
      toast.error(t('common:failed.save'), { detail: detail.length > 0 ? detail.join(' ') : errorText(failure) });
    }
  };
  const learn = async () => {
    try {
      const learned = await draftEventPlan();
      const known = new Set(draft.events.map((each) => each.name));
      const fresh = learned.events.filter((each) => !known.has(each.name));
      if (fresh.length === 0) toast.ok(t('tracking:plan.nothingNew'));
      else {
        setDraft({ ...draft, events: [...draft.events, ...fresh].sort((a, b) => (a.name < b.name ? -1 : 1)) });
        toast.ok(t('tracking:plan.learned', { count: fresh.length }));
      }
    } catch (failure) {
      toast.error(errorText(failure));
    }
  };
  const load = async (chosen: File | undefined) => {
    if (chosen === undefined) return;
    const read = readPlan(await chosen.text());
    if (read === null) toast.error(t('tracking:plan.badFile'));
    else setDraft({ ...draft, ...read });
  };
  return (
    <div className={css.stack}>
      <p className="muted">{t('tracking:plan.text')}</p>
      <div className={css.bar}>
        <Select
          className={css.unplanned ?? ''}
          label={t('tracking:plan.unplanned')}
          value={draft.unplanned}
          disabled={!manages}
          onChange={(value) => value !== null && setDraft({ ...draft, unplanned: value as PlanAct })}
          options={PLAN_ACTS.map((value) => ({ value, label: t(`tracking:act.${value}`) }))}
        />
        <span className="grow" />
        <Button
          icon={<IconDownload size={15} />}
          disabled={draft.events.length === 0}
          onClick={() =>
            saveText(
              'tracking-plan.json',
              JSON.stringify({ unplanned: draft.unplanned, events: draft.events }, null, 2),
            )
          }
        >
          {t('tracking:plan.export')}
        </Button>
        {manages && (
          <>
            <Button icon={<IconUpload size={15} />} onClick={() => file.current?.click()}>
              {t('tracking:plan.import')}
            </Button>
            <input
              ref={file}
              type="file"
              hidden
              accept="application/json,.json"
              aria-label={t('tracking:plan.import')}
              onChange={(event) => {
                void load(event.currentTarget.files?.[0]);
                event.currentTarget.value = '';
              }}
            />
            <Button icon={<IconWand size={15} />} onClick={() => void learn()}>
              {t('tracking:plan.learn')}
            </Button>
            <Button icon={<IconPlus size={15} />} onClick={() => setEdited('new')}>
              {t('tracking:plan.add')}
            </Button>
          </>
        )}
      </div>
      {dirty && (
        <div className={css.unsaved} role="status">
          <span>{t('tracking:plan.unsaved')}</span>
          <span className="grow" />
          <Button onClick={() => setDraft(plan)}>{t('tracking:plan.giveUp')}</Button>
          <Button kind="primary" loading={save.isPending} onClick={() => void send()}>
            {t('common:save')}
          </Button>
        </div>
      )}
      <Panel
        flush
        title={t('tracking:plan.title', { count: draft.events.length })}
        aside={
          plan.at !== null && (
            <span className="muted">{t('tracking:plan.changed', { when: fmt.relative(plan.at) })}</span>
          )
        }
      >
        <Table<PlannedEvent & { at: number }>
          label={t('tracking:tab.plan')}
          rows={draft.events.map((event, at) => ({ ...event, at }))}
          rowKey={(event) => event.name}
          onRowClick={(event) => setEdited(event.at)}
          empty={
            <EmptyState
              compact
              cause="none"
              title={t('tracking:plan.none')}
              text={t('tracking:plan.noneText')}
              actions={
                manages && (
                  <Button kind="primary" icon={<IconWand size={15} />} onClick={() => void learn()}>
                    {t('tracking:plan.learn')}
                  </Button>
                )
              }
            />
          }
          columns={[
            {
              key: 'name',
              label: t('tracking:live.event'),
              cell: (event) => (
                <span className={prose.lines}>
                  <button type="button" className={prose.link} onClick={() => setEdited(event.at)}>
                    {event.name}
                  </button>
                  {event.note && <span className={css.sub}>{event.note}</span>}
                </span>
              ),
            },
            {
              key: 'properties',
              label: t('tracking:names.properties'),
              align: 'right',
              minor: true,
              cell: (event) => fmt.number(event.properties?.length ?? 0),
            },
            {
              key: 'act',
              label: t('tracking:plan.act'),
              cell: (event) => (
                <Pill color={ACT_HUES[event.act ?? 'flag']}>{t(`tracking:act.${event.act ?? 'flag'}`)}</Pill>
              ),
            },
          ]}
        />
      </Panel>
      {edited !== null && (
        <PlanEventDialog
          event={edited === 'new' ? null : (draft.events[edited] ?? null)}
          taken={draft.events.filter((_, index) => index !== edited).map((each) => each.name)}
          readOnly={!manages}
          onClose={() => setEdited(null)}
          onSave={(event) => put(edited, event)}
        />
      )}
    </div>
  );
}
