import { IconDots, IconPencil, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import {
  type Automation,
  automationQuery,
  automationRevisionsQuery,
  hookSecretsQuery,
  type Step,
  useDeleteAutomation,
  useRotateHook,
  useRunsAction,
  useSaveAutomation,
} from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { findObject, useCan, useObjects } from '@/metadata';
import {
  BackLink,
  Button,
  ButtonLink,
  confirm,
  DetailHead,
  Facts,
  IconButton,
  Loaded,
  Menu,
  Panel,
  Stat,
  Stats,
  Switch,
  toast,
} from '@/ui';
import css from './automations.module.css';
import { numbered } from './draft';
import { StatePill } from './parts';
import { Runs } from './runs';
import { useStepText } from './step-text';

export function AutomationPage() {
  const { id = '' } = useParams({ strict: false });
  const can = useCan();
  const allowed = can('automation.manage');
  const { data, error, refetch } = useQuery({ ...automationQuery(id), enabled: allowed });
  return (
    <Loaded allowed={allowed} data={data} error={error} onRetry={refetch}>
      {(rule) => <One rule={rule} />}
    </Loaded>
  );
}

function One({ rule }: { rule: Automation }) {
  const { t } = useTranslation('automations');
  const fmt = useFormat();
  return (
    <div className="stack">
      <DetailHead
        back={<BackLink to="/settings/automations" label={t('automations:back')} />}
        title={rule.name}
        state={<StatePill rule={rule} />}
      >
        <Actions rule={rule} />
      </DetailHead>
      {rule.state === 'paused' && (
        <p className={css.problem} role="status">
          {t(`automations:reason.${rule.reason || 'broken'}`)}
        </p>
      )}
      <Panel>
        <Stats>
          <Stat label={t('automations:today')} value={fmt.number(rule.today.started)} />
          <Stat label={t('automations:live')} value={fmt.number(rule.live)} />
          <Stat label={t('automations:failed')} value={fmt.number(rule.failed)} />
          <Stat
            label={t(rule.next_at === null ? 'automations:last' : 'automations:next')}
            value={When({ rule, never: t('automations:never'), show: fmt.relative })}
          />
        </Stats>
      </Panel>
      <Panel title={t('automations:what')}>
        <Summary rule={rule} />
      </Panel>
      {rule.trigger === 'hook' && <Hook rule={rule} />}
      <Runs rule={rule} />
      <Revisions rule={rule} />
    </div>
  );
}

function When({ rule, never, show }: { rule: Automation; never: string; show: (at: string) => string }): string {
  const at = rule.next_at ?? rule.last_at;
  return at === null ? never : show(at);
}

/** The rule in words: when, if, and its steps. */
function Summary({ rule }: { rule: Automation }) {
  const { t } = useTranslation('automations');
  const label = useLabel();
  const objects = useObjects();
  const textOf = useStepText(rule.definition);
  const numbers = numbered(rule.definition.steps);
  const object = findObject(objects, rule.object);
  return (
    <Facts>
      <dt>{t('automations:when')}</dt>
      <dd>
        {label(object?.label, rule.object)} · {t(`automations:trigger.${rule.trigger}`)}
      </dd>
      {rule.sentences.where !== undefined && (
        <>
          <dt>{t('automations:if')}</dt>
          <dd>{label(rule.sentences.where)}</dd>
        </>
      )}
      <dt>{t('automations:do')}</dt>
      <dd>
        <Steps steps={rule.definition.steps} numbers={numbers} textOf={textOf} sentences={rule.sentences} at="steps" />
      </dd>
      <dt>{t('automations:runAs')}</dt>
      <dd>{rule.run_as === null ? t('automations:system') : rule.run_as.title}</dd>
    </Facts>
  );
}

interface StepsProps {
  steps: readonly Step[];
  numbers: ReadonlyMap<string, string>;
  textOf: (step: Step) => string;
  sentences: Automation['sentences'];
  at: string;
}

/** The steps as a list, those of branches below their condition. */
function Steps({ steps, numbers, textOf, sentences, at }: StepsProps) {
  const { t } = useTranslation('automations');
  const label = useLabel();
  return (
    <ol className={css.summary}>
      {steps.map((step, index) => {
        const here = `${at}.${index}`;
        const condition = sentences[`${here}.where`] ?? sentences[`${here}.wait.where`];
        return (
          <li key={step.id}>
            {numbers.get(step.id)} {t(`automations:kind.${step.kind}`)} <span className="muted">{textOf(step)}</span>
            {condition !== undefined && <div className="muted">{label(condition)}</div>}
            {(['then', 'else'] as const).map((arm) => {
              const inner = step[arm] ?? [];
              if (inner.length === 0) return null;
              return (
                <div key={arm} className={css.within}>
                  {t(`automations:arm.${arm}`)}
                  <Steps steps={inner} numbers={numbers} textOf={textOf} sentences={sentences} at={`${here}.${arm}`} />
                </div>
              );
            })}
          </li>
        );
      })}
    </ol>
  );
}

function Actions({ rule }: { rule: Automation }) {
  const { t } = useTranslation(['automations', 'common']);
  const navigate = useNavigate();
  const save = useSaveAutomation();
  const remove = useDeleteAutomation();
  const cancel = useRunsAction('cancel');
  const failed = (error: Error) => toast.error(error.message);
  const turn = async (on: boolean) => {
    try {
      await save.mutateAsync({ id: rule.id, change: { state: on ? 'on' : 'off' } });
      toast.ok(t(on ? 'automations:switchedOn' : 'automations:switchedOff', { name: rule.name }));
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: error instanceof Error ? error.message : '' });
    }
  };
  const askRemove = async () => {
    const sure = await confirm({
      title: t('automations:deleteTitle', { name: rule.name }),
      text: t('automations:deleteText'),
      confirm: t('common:delete'),
      danger: true,
    });
    if (sure) remove.mutate(rule.id, { onSuccess: () => navigate({ to: '/settings/automations' }), onError: failed });
  };
  const askCancel = async () => {
    const sure = await confirm({
      title: t('automations:cancelTitle', { count: rule.live }),
      text: t('automations:cancelText'),
      confirm: t('automations:cancelAll'),
      danger: true,
    });
    if (sure) cancel.mutate({ id: rule.id }, { onError: failed });
  };
  return (
    <span className="row">
      <Switch label={t('automations:state.on')} checked={rule.state === 'on'} onChange={(on) => void turn(on)} />
      <ButtonLink
        to="/settings/automations/$id"
        params={{ id: rule.id }}
        search={{ edit: true }}
        icon={<IconPencil size={15} />}
      >
        {t('common:edit')}
      </ButtonLink>
      <Menu
        target={<IconButton label={t('automations:more')} icon={<IconDots size={16} />} tooltip={false} />}
        entries={[
          { label: t('automations:cancelAll'), disabled: rule.live === 0, onSelect: () => void askCancel() },
          { label: t('common:delete'), icon: <IconTrash size={15} />, danger: true, onSelect: () => void askRemove() },
        ]}
      />
    </span>
  );
}

/** How other systems begin the rule. */
function Hook({ rule }: { rule: Automation }) {
  const { t } = useTranslation('automations');
  const { data, error } = useQuery(hookSecretsQuery(rule.id));
  const rotate = useRotateHook();
  return (
    <Panel
      title={t('automations:hook.title')}
      aside={
        <Button loading={rotate.isPending} onClick={() => rotate.mutate(rule.id)}>
          {t('automations:hook.rotate')}
        </Button>
      }
    >
      {error !== null && <p className={css.fault}>{error.message}</p>}
      {data !== undefined && (
        <Facts>
          <dt>{t('automations:hook.url')}</dt>
          <dd className={css.secret}>{`POST ${location.origin}${data.url}`}</dd>
          <dt>{t('automations:hook.token')}</dt>
          <dd className={css.secret}>{`Authorization: Bearer ${data.token}`}</dd>
          <dt>{t('automations:hook.body')}</dt>
          <dd className={css.secret}>{`{"${(rule.definition.trigger.path ?? '').split('.').join('": {"')}": "…"}`}</dd>
        </Facts>
      )}
    </Panel>
  );
}

function Revisions({ rule }: { rule: Automation }) {
  const { t } = useTranslation('automations');
  const fmt = useFormat();
  const { data } = useQuery(automationRevisionsQuery(rule.id));
  if (data === undefined) return null;
  return (
    <Panel title={t('automations:revisions')}>
      <ul className={css.lines}>
        {data.items.map((each) => (
          <li key={each.revision}>
            <strong>{t('automations:revision', { number: each.revision })}</strong>{' '}
            <span className="muted">
              {fmt.datetime(each.at)} {each.by?.title ?? ''}
            </span>
            {each.live > 0 && <div className="muted">{t('automations:revisionLive', { count: each.live })}</div>}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
