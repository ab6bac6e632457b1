import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ObjectType, recordCountQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useObjects } from '@/metadata';
import { ObjectIcon, Panel } from '@/ui';
import css from './own-lists.module.css';

function OneList({ object }: { object: ObjectType }) {
  const label = useLabel();
  const fmt = useFormat();
  const { data } = useQuery(recordCountQuery(object.key, null));
  return (
    <Link to="/o/$object" params={{ object: object.key }} className={css.card}>
      <ObjectIcon name={object.icon} />
      <span className="grow truncate">{label(object.plural, object.key)}</span>
      {data !== undefined && (
        <strong>
          {fmt.number(data.count)}
          {data.is_estimate && '+'}
        </strong>
      )}
    </Link>
  );
}

/** In place of the figures of the workspace, for those who may not see them: their own lists with what is in them. */
export function OwnLists() {
  const { t } = useTranslation('home');
  const objects = useObjects().filter((object) => !object.hidden);
  return (
    <Panel title={t('home:own.title')}>
      <div className={css.grid}>
        {objects.map((object) => (
          <OneList key={object.key} object={object} />
        ))}
      </div>
    </Panel>
  );
}
