import { IconPlus } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ApprovalProcess, changeProcess, errorText, processesQuery } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { findObject, useObjects } from '@/metadata';
import { Button, EmptyState, ErrorState, SkeletonRows, Switch, Table, toast } from '@/ui';
import css from './approvals.module.css';

/** Settings: what needs approval, and by which way. */
export function ApprovalProcessesPage() {
  const { t } = useTranslation(['approvals', 'common']);
  const label = useLabel();
  const navigate = useNavigate();
  const client = useQueryClient();
  const objects = useObjects();
  const answer = useQuery(processesQuery());
  const list = answer.data?.items ?? [];
  const add = (
    <Button
      kind="primary"
      icon={<IconPlus size={15} />}
      onClick={() => void navigate({ to: '/settings/approvals/$id', params: { id: 'new' } })}
    >
      {t('approvals:process.add')}
    </Button>
  );
  const toggle = async (process: ApprovalProcess, enabled: boolean) => {
    try {
      await changeProcess(process.id, process.version, { ...process.spec, enabled });
      toast.ok(t('common:saved'));
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    }
    await client.invalidateQueries({ queryKey: ['approvals', 'processes'] });
  };
  return (
    <div className={css.page}>
      <div className={css.head}>
        <h2>{t('approvals:process.title')}</h2>
        {list.length > 0 && add}
      </div>
      <p className="muted">{t('approvals:process.text')}</p>
      {answer.isPending && <SkeletonRows rows={4} />}
      {answer.isError && <ErrorState error={answer.error} onRetry={() => answer.refetch()} />}
      {answer.isSuccess && list.length === 0 && (
        <EmptyState
          cause="none"
          title={t('approvals:process.none')}
          text={t('approvals:process.noneText')}
          actions={add}
        />
      )}
      {list.length > 0 && (
        <Table
          label={t('approvals:process.title')}
          rows={list}
          rowKey={(one) => one.id}
          onRowClick={(one) => void navigate({ to: '/settings/approvals/$id', params: { id: one.id } })}
          columns={[
            { key: 'name', label: t('approvals:process.name'), cell: (one) => one.spec.name },
            {
              key: 'what',
              label: t('approvals:process.what'),
              cell: (one) =>
                t(`approvals:doing.${one.spec.action}`, {
                  name: label(findObject(objects, one.spec.object)?.label, one.spec.object),
                }),
            },
            {
              key: 'steps',
              label: t('approvals:process.steps'),
              minor: true,
              cell: (one) => <span className="muted">{one.spec.steps.map((step) => step.name).join(' \u2192 ')}</span>,
            },
            {
              key: 'enabled',
              label: t('approvals:process.enabled'),
              width: 90,
              cell: (one) => (
                // biome-ignore lint/a11y/noStaticElementInteractions: keeps the switch from opening the row
                // biome-ignore lint/a11y/useKeyWithClickEvents: the switch itself is reached by keyboard
                <span onClick={(event) => event.stopPropagation()}>
                  <Switch
                    checked={one.spec.enabled}
                    onChange={(on) => void toggle(one, on)}
                    aria-label={t('approvals:process.enabledOf', { name: one.spec.name })}
                  />
                </span>
              ),
            },
          ]}
        />
      )}
    </div>
  );
}
