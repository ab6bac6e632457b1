import { IconUsersPlus } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { Cluster, Clusters } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { encodeCondition } from '@/records/conditions';
import { ButtonLink } from '@/ui';
import { Radar, Swatch } from '@/ui/chart';
import css from './clusters.module.css';
import { useWords } from './words';

const HUES = ['teal', 'blue', 'violet', 'amber', 'green', 'orange', 'pink', 'red', 'gray'] as const;
export const hueOf = (number: number): string => HUES[(number - 1) % HUES.length] ?? 'gray';
/** So many deviations reach the outermost ring. */
const REACH = 2;
/** From here on the size has changed. */
const MOVED = 0.02;

/** One group: who it is in words, and its shape. */
export function GroupCard({ data, group }: { data: Clusters; group: Cluster }) {
  const { t } = useTranslation('clusters');
  const fmt = useFormat();
  const can = useCan();
  const words = useWords(data);
  const title = words.title(group);
  const sentences = words.sentences(group);
  const moved = group.share - group.learned;
  return (
    <article className={css.card} aria-label={t('clusters:group', { number: group.number })}>
      <div className={css.said}>
        <h2 className={css.name}>
          <Swatch color={hueOf(group.number)}>
            <span>{t('clusters:group', { number: group.number })}</span>
          </Swatch>
          <span className={css.title}>{title}</span>
        </h2>
        <p className={css.size}>
          <Link to="/o/$object" params={{ object: 'customer' }} search={{ where: encodeCondition(group.where) }}>
            {t('clusters:customers', { count: group.count, shown: fmt.number(group.count) })}
          </Link>{' '}
          <span className={css.quiet}>
            {fmt.percent(group.share)}
            {Math.abs(moved) >= MOVED && ` \u00b7 ${t('clusters:was', { share: fmt.percent(group.learned) })}`}
          </span>
        </p>
        <ul className={css.words}>
          {sentences.length === 0 && <li>{t('clusters:ordinaryText')}</li>}
          {sentences.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
        {can('segment.write') && (
          <ButtonLink
            kind="subtle"
            icon={<IconUsersPlus size={15} />}
            to="/segments/new"
            search={{ where: encodeCondition(group.where), name: title }}
            aria-label={t('clusters:toSegmentOf', { name: t('clusters:group', { number: group.number }) })}
          >
            {t('clusters:toSegment')}
          </ButtonLink>
        )}
      </div>
      <Radar
        label={`${title}: ${sentences.join(' ')}`}
        axes={data.traits.map((one, index) => ({
          key: one.key,
          label: words.name(one),
          value: (group.apart[index] ?? 0) / REACH,
        }))}
      />
    </article>
  );
}
