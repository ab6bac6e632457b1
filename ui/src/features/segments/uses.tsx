import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type Segment, type SegmentUse, segmentUsesQuery } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { ErrorState, Panel, Pill, Skeleton } from '@/ui';
import parts from './parts.module.css';
import css from './segments.module.css';

function Name({ use }: { use: SegmentUse }) {
  const label = useLabel();
  const can = useCan();
  const name = label(use.label) || use.key;
  if (use.kind === 'segment' || use.kind === 'list')
    return (
      <Link to="/segments/$key" params={{ key: use.key }} search={{}} className="truncate">
        {name}
      </Link>
    );
  if (use.kind === 'classification')
    return (
      <Link to="/classifications/$key" params={{ key: use.key }} search={{}} className="truncate">
        {name}
      </Link>
    );
  if (use.kind === 'automation' && can('automation.manage'))
    return (
      <Link to="/settings/automations/$id" params={{ id: use.key }} search={{}} className="truncate">
        {name}
      </Link>
    );
  if (use.kind === 'view') {
    const [object = '', view] = use.key.split('/');
    return (
      <Link to="/o/$object" params={{ object }} search={{ ...(view !== undefined && { view }) }} className="truncate">
        {name}
      </Link>
    );
  }
  return <span className="truncate">{name}</span>;
}

function UseList({ title, uses }: { title: string; uses: readonly SegmentUse[] }) {
  const { t } = useTranslation('segments');
  if (uses.length === 0) return null;
  return (
    <>
      <h3 className={css.sub}>{title}</h3>
      <ul className={css.vennList}>
        {uses.map((use) => (
          <li key={`${use.kind}${use.key}${use.how ?? ''}`} className={parts.use}>
            <span className={parts.useKind}>{t(`segments:uses.kind.${use.kind}`)}</span>
            <Name use={use} />
            {use.how !== undefined && <span className="muted">{t(`segments:rules.${use.how}`)}</span>}
            {use.state !== undefined && use.state !== 'on' && (
              <Pill color="gray">{t(`segments:rules.${use.state}`)}</Pill>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

/** What a segment stands on, and what stands on it. */
export function Uses({ segment }: { segment: Segment }) {
  const { t } = useTranslation('segments');
  const { data, error, isPending, refetch } = useQuery(segmentUsesQuery(segment.key));
  return (
    <Panel title={t('segments:uses.title')}>
      {isPending && <Skeleton height={72} />}
      {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
      {data !== undefined && (
        <>
          <UseList title={t('segments:uses.by')} uses={data.by} />
          {data.by.length === 0 && <p className="muted">{t('segments:uses.none')}</p>}
          <UseList title={t('segments:uses.on')} uses={data.on} />
        </>
      )}
    </Panel>
  );
}
