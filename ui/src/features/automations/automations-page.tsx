import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type Automation, automationsQuery, useSaveAutomation } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { findObject, useCan, useObjects } from '@/metadata';
import { ButtonLink, EmptyState, ErrorState, Panel, prose, SkeletonRows, Switch, Table, toast } from '@/ui';
import css from './automations.module.css';
import { StatePill } from './parts';
import { templatesOf, usable } from './templates';

/** Every rule with how it fares. */
export function AutomationsPage() {
  const { t } = useTranslation('automations');
  const can = useCan();
  const allowed = can('automation.manage');
  const { data, error, isPending, refetch } = useQuery({ ...automationsQuery(), enabled: allowed });
  if (!allowed) return <EmptyState cause="no_permission" />;
  const empty = data !== undefined && data.items.length === 0;
  const add = (
    <ButtonLink
      to="/settings/automations/$id"
      params={{ id: 'new' }}
      search={{}}
      kind="primary"
      icon={<IconPlus size={15} />}
    >
      {t('automations:add')}
    </ButtonLink>
  );
  return (
    <div className="stack">
      <Panel flush title={t('automations:title')} aside={empty ? undefined : add}>
        {isPending && <SkeletonRows rows={3} />}
        {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
        {empty && (
          <EmptyState
            compact
            cause="none"
            title={t('automations:none')}
            text={t('automations:noneText')}
            actions={add}
          />
        )}
        {data !== undefined && !empty && <Rules rules={data.items} />}
      </Panel>
      <Templates />
    </div>
  );
}

function Rules({ rules }: { rules: Automation[] }) {
  const { t } = useTranslation(['automations', 'common']);
  const fmt = useFormat();
  const label = useLabel();
  const objects = useObjects();
  const navigate = useNavigate();
  const save = useSaveAutomation();
  const turn = async (rule: Automation, on: boolean) => {
    try {
      await save.mutateAsync({ id: rule.id, change: { state: on ? 'on' : 'off' } });
      toast.ok(t(on ? 'automations:switchedOn' : 'automations:switchedOff', { name: rule.name }));
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: error instanceof Error ? error.message : '' });
    }
  };
  return (
    <Table<Automation>
      label={t('automations:title')}
      rows={rules}
      rowKey={(rule) => rule.id}
      onRowClick={(rule) => navigate({ to: '/settings/automations/$id', params: { id: rule.id }, search: {} })}
      columns={[
        {
          key: 'name',
          label: t('automations:name'),
          cell: (rule) => (
            <span className={prose.lines}>
              <Link
                to="/settings/automations/$id"
                params={{ id: rule.id }}
                search={{}}
                className={prose.plain}
                onClick={(event) => event.stopPropagation()}
              >
                {rule.name}
              </Link>
              <span className="muted">
                {label(findObject(objects, rule.object)?.label, rule.object)} ·{' '}
                {t(`automations:trigger.${rule.trigger}`)}
              </span>
            </span>
          ),
        },
        {
          key: 'state',
          label: t('automations:stateLabel'),
          cell: (rule) => (
            // biome-ignore lint/a11y/noStaticElementInteractions: keeps a click on the switch from opening the row
            // biome-ignore lint/a11y/useKeyWithClickEvents: the switch itself answers keys
            <span className="row" onClick={(event) => event.stopPropagation()}>
              <Switch
                aria-label={t('automations:switchOf', { name: rule.name })}
                checked={rule.state === 'on'}
                onChange={(on) => void turn(rule, on)}
              />
              {rule.state === 'paused' && <StatePill rule={rule} />}
            </span>
          ),
        },
        {
          key: 'today',
          label: t('automations:today'),
          align: 'right',
          minor: true,
          cell: (rule) => fmt.number(rule.today.started),
        },
        {
          key: 'failed',
          label: t('automations:failed'),
          align: 'right',
          cell: (rule) => <span className={rule.failed > 0 ? css.bad : ''}>{fmt.number(rule.failed)}</span>,
        },
        {
          key: 'last',
          label: t('automations:last'),
          minor: true,
          cell: (rule) => (
            <span className="muted">{rule.last_at === null ? t('automations:never') : fmt.relative(rule.last_at)}</span>
          ),
        },
      ]}
    />
  );
}

/** Rules to begin with. */
function Templates() {
  const { t } = useTranslation('automations');
  const objects = useObjects();
  const navigate = useNavigate();
  return (
    <Panel title={t('automations:templates')}>
      <div className={css.templates}>
        {usable(templatesOf(t), objects).map(({ key }) => (
          <button
            key={key}
            type="button"
            className={css.templateCard}
            onClick={() =>
              navigate({ to: '/settings/automations/$id', params: { id: 'new' }, search: { template: key } })
            }
          >
            <strong>{t(`automations:template.${key}.name`)}</strong>
            <span className="muted">{t(`automations:template.${key}.about`)}</span>
          </button>
        ))}
      </div>
    </Panel>
  );
}
