import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type EventImport, errorText, eventImportsQuery, undoEventImport } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Button, confirm, Dot, ErrorState, Panel, Table, toast } from '@/ui';

const COLORS = { open: 'orange', done: 'green', undoing: 'blue', undone: 'gray' } as const;

/** The imports of events of before, each of which can be taken back as a whole. */
export function EventImports() {
  const { t } = useTranslation(['eventimports', 'common']);
  const fmt = useFormat();
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(eventImportsQuery());
  if (error !== null && data === undefined) return <ErrorState compact error={error} onRetry={() => refetch()} />;
  if (data === undefined || data.items.length === 0) return null;
  const undo = async (one: EventImport) => {
    const sure = await confirm({
      title: t('eventimports:undoTitle', { name: one.file_name }),
      text: t('eventimports:undoText', { count: one.accepted }),
      confirm: t('eventimports:undo'),
      danger: true,
    });
    if (!sure) return;
    try {
      await undoEventImport(one.id);
      toast.ok(t('eventimports:undoing'));
    } catch (problem) {
      toast.error(t('common:failed.title'), { detail: errorText(problem) });
    }
    await client.invalidateQueries({ queryKey: ['event-imports'] });
  };
  return (
    <Panel flush title={t('eventimports:title')}>
      <Table
        label={t('eventimports:title')}
        rows={data.items}
        rowKey={(one) => one.id}
        columns={[
          { key: 'file', label: t('eventimports:file'), cell: (one) => one.file_name },
          {
            key: 'source',
            label: t('eventimports:source'),
            minor: true,
            cell: (one) => one.source_name || '\u2013',
          },
          {
            key: 'state',
            label: t('eventimports:state'),
            cell: (one) => <Dot color={COLORS[one.state]}>{t(`eventimports:states.${one.state}`)}</Dot>,
          },
          {
            key: 'accepted',
            label: t('eventimports:accepted'),
            align: 'right',
            cell: (one) => fmt.number(one.accepted),
          },
          {
            key: 'duplicate',
            label: t('eventimports:duplicate'),
            align: 'right',
            minor: true,
            cell: (one) => fmt.number(one.duplicate),
          },
          {
            key: 'rejected',
            label: t('eventimports:rejected'),
            align: 'right',
            minor: true,
            cell: (one) => fmt.number(one.rejected),
          },
          {
            key: 'by',
            label: t('eventimports:by'),
            minor: true,
            cell: (one) => <span className="muted">{one.created_by?.title ?? '\u2013'}</span>,
          },
          {
            key: 'at',
            label: t('eventimports:at'),
            minor: true,
            cell: (one) => <span className="muted">{fmt.relative(one.created_at)}</span>,
          },
          {
            key: 'undo',
            label: '',
            align: 'right',
            cell: (one) =>
              one.state === 'done' || one.state === 'open' ? (
                <Button
                  kind="subtle"
                  aria-label={t('eventimports:undoOf', { name: one.file_name })}
                  onClick={() => void undo(one)}
                >
                  {t('eventimports:undo')}
                </Button>
              ) : null,
          },
        ]}
      />
    </Panel>
  );
}
