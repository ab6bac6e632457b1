import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type JourneyDefinition, type JourneyPerson, journeyPeopleQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Drawer, EmptyState, ErrorState, SkeletonRows, Table } from '@/ui';
import { stepIn } from './draft';
import css from './journeys.module.css';

interface Props {
  id: string;
  /** '' for all. */
  step: string;
  definition: JourneyDefinition;
  onClose: () => void;
}

/** Who is at a step, or on the journey at all. */
export function PeopleDrawer({ id, step, definition, onClose }: Props) {
  const { t } = useTranslation('journeys');
  const shown = stepIn(definition, step);
  return (
    <Drawer
      opened
      onClose={onClose}
      size={560}
      title={
        step === '' ? t('journeys:people.all') : shown?.name || (shown && t(`journeys:kind.${shown.kind}`)) || step
      }
    >
      <List id={id} step={step} definition={definition} />
    </Drawer>
  );
}

function List({ id, step, definition }: Omit<Props, 'onClose'>) {
  const { t } = useTranslation('journeys');
  const fmt = useFormat();
  const { data, error, refetch } = useQuery(journeyPeopleQuery(id, step === '' ? '' : 'on', step));
  if (data === undefined)
    return error === null ? <SkeletonRows rows={6} /> : <ErrorState error={error} onRetry={() => refetch()} />;
  if (data.items.length === 0 && data.hidden === 0)
    return <EmptyState compact cause="none" title={t('journeys:people.none')} text={t('journeys:people.noneText')} />;
  const stepName = (key: string) => {
    const found = stepIn(definition, key);
    return found === undefined ? key : found.name || t(`journeys:kind.${found.kind}`);
  };
  return (
    <>
      <Table<JourneyPerson>
        label={t('journeys:people.all')}
        rows={data.items}
        rowKey={(row) => row.id}
        columns={[
          {
            key: 'customer',
            label: t('journeys:people.customer'),
            cell: (row) => (
              <Link
                to="/o/$object/$id"
                params={{ object: 'customer', id: row.customer.id }}
                search={{ tab: 'journeys' }}
              >
                {row.customer.title}
              </Link>
            ),
          },
          {
            key: 'state',
            label: t('journeys:people.state'),
            cell: (row) =>
              row.state === 'on'
                ? stepName(row.step)
                : t(`journeys:state.${row.arm === 'treated' ? row.state : 'held'}`),
          },
          {
            key: 'entered',
            label: t('journeys:people.entered'),
            minor: true,
            cell: (row) => fmt.datetime(row.entered_at),
          },
          {
            key: 'due',
            label: t('journeys:people.due'),
            minor: true,
            cell: (row) => (row.due_at === null ? '' : fmt.datetime(row.due_at)),
          },
        ]}
      />
      {data.hidden > 0 && <p className={css.note}>{t('journeys:people.hidden', { count: data.hidden })}</p>}
      {data.next !== '' && <p className={css.note}>{t('journeys:people.first', { count: data.items.length })}</p>}
    </>
  );
}
