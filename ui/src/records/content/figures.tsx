import { IconUsersPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { contentFiguresQuery, type RecordData } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { ButtonLink, Closed, ErrorState, SkeletonRows } from '@/ui';
import { encodeCondition } from '../conditions/url';
import css from './content.module.css';
import { peopleOf } from './people';

const FIGURES = ['seen', 'interactions', 'rate', 'people'] as const;
const KINDS = ['viewed', 'liked', 'commented', 'shared', 'saved', 'watched'] as const;

/** What was done with a content, on its own page. */
export function ContentPanel({ record }: { record: RecordData }) {
  const { t } = useTranslation('interactions');
  const fmt = useFormat();
  const can = useCan();
  const allowed = can('web.read');
  const answer = useQuery({ ...contentFiguresQuery(record.id), enabled: allowed });
  if (!allowed) return <Closed cause="no_permission" />;
  if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} />;
  if (answer.data === undefined) return <SkeletonRows rows={6} />;
  const data = answer.data;
  const value = (key: (typeof FIGURES)[number]) => {
    if (key !== 'rate') return fmt.number(data[key]);
    return data.seen === 0 ? '\u2013' : fmt.percent(data.interactions / data.seen, 2);
  };
  const most = Math.max(1, ...KINDS.map((key) => data[key]));
  return (
    <div className={css.panel}>
      <dl className={css.figures}>
        {FIGURES.map((key) => (
          <div key={key}>
            <dt>{t(`interactions:term.${key}`)}</dt>
            <dd className="tabular">{value(key)}</dd>
            <dd className={css.means}>{t(`interactions:meansOne.${key}`)}</dd>
          </div>
        ))}
      </dl>
      <ul className={css.kinds} aria-label={t('interactions:term.interactions')}>
        {KINDS.map((key) => (
          <li key={key}>
            <span>{t(`interactions:term.${key}`)}</span>
            <span className={css.track} aria-hidden>
              <span style={{ width: `${(data[key] / most) * 100}%` }} />
            </span>
            <span className="tabular">{fmt.number(data[key])}</span>
          </li>
        ))}
      </ul>
      {data.people > 0 && can('segment.write') && (
        <div>
          <ButtonLink
            icon={<IconUsersPlus size={15} />}
            to="/segments/new"
            search={{
              where: encodeCondition(peopleOf(data.external_id)),
              name: t('interactions:peopleOf', { name: record.title }),
            }}
          >
            {t('interactions:asSegment')}
          </ButtonLink>
        </div>
      )}
    </div>
  );
}
