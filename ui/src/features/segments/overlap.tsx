import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type Condition, type Segment, segmentOverlapQuery, segmentsQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { encodeCondition } from '@/records/conditions';
import { ErrorState, Panel, Select, Skeleton } from '@/ui';
import css from './segments.module.css';

const inside = (segment: string): Condition => ({ segment, op: 'in' });
const outside = (segment: string): Condition => ({ segment, op: 'not_in' });

function Bars({ segment, other }: { segment: Segment; other: Segment }) {
  const { t } = useTranslation('segments');
  const fmt = useFormat();
  const { data, error, refetch } = useQuery(segmentOverlapQuery(segment.key, other.key));
  if (error !== null && data === undefined) return <ErrorState compact error={error} onRetry={() => refetch()} />;
  if (data === undefined) return <Skeleton height={96} />;
  const all = Math.max(1, data.a + data.b - data.both);
  const parts = [
    {
      key: 'a',
      name: t('segments:onlyIn', { name: segment.label }),
      count: data.a - data.both,
      where: { all: [inside(segment.key), outside(other.key)] },
    },
    {
      key: 'both',
      name: t('segments:inBoth'),
      count: data.both,
      where: { all: [inside(segment.key), inside(other.key)] },
    },
    {
      key: 'b',
      name: t('segments:onlyIn', { name: other.label }),
      count: data.b - data.both,
      where: { all: [inside(other.key), outside(segment.key)] },
    },
  ];
  return (
    <>
      <div className={css.venn} aria-hidden>
        {parts
          .filter((part) => part.count > 0)
          .map((part) => (
            <span key={part.key} data-part={part.key} style={{ flexGrow: part.count / all }} />
          ))}
      </div>
      <ul className={css.vennList}>
        {parts.map((part) => (
          <li key={part.key}>
            <Link
              to="/o/$object"
              params={{ object: 'customer' }}
              search={{ where: encodeCondition(part.where) }}
              className={css.vennLink}
            >
              <span className={css.vennDot} data-part={part.key} aria-hidden />
              <span className="truncate grow">{part.name}</span>
              <span className="num">{fmt.number(part.count)}</span>
              <span className={css.vennShare}>{fmt.percent(part.count / all, 0)}</span>
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}

/** How this segment meets another one: three parts of one bar, each a list. */
export function Overlap({ segment }: { segment: Segment }) {
  const { t } = useTranslation('segments');
  const { data } = useQuery(segmentsQuery());
  const others = (data?.items ?? []).filter((other) => other.key !== segment.key);
  const [chosen, setChosen] = useState<string | null>(null);
  const other = others.find((candidate) => candidate.key === chosen) ?? others[0];
  if (other === undefined) return null;
  return (
    <Panel title={t('segments:overlap')}>
      <div className="stack">
        <Select
          aria-label={t('segments:overlapWith')}
          searchable
          options={others.map((candidate) => ({ value: candidate.key, label: candidate.label }))}
          value={other.key}
          onChange={setChosen}
        />
        <Bars segment={segment} other={other} />
      </div>
    </Panel>
  );
}
