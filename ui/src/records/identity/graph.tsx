import type { Identities } from '@/api';
import { useTranslation } from '@/i18n';
import css from './identity.module.css';
import { placeProfiles, type Spot } from './layout';
import { short, useNamespaceName } from './names';

const STEP = 76;
const INDENT = 34;
const MIDDLE = 30;

/** A picture of the profiles of a customer: roots at the left, what was joined to each behind a line. */
export function Graph({ data }: { data: Identities }) {
  const { t } = useTranslation('identities');
  const nameOf = useNamespaceName();
  const spots = placeProfiles(data.profiles);
  const at = new Map(spots.map((spot) => [spot.profile.id, spot]));
  const height = spots.length * STEP;
  const sentence = (spot: Spot) => {
    const names = spot.profile.identifiers.map((one) => nameOf(one.namespace));
    return names.length === 0 ? t('identities:noName') : [...new Set(names)].join(' \u00b7 ');
  };
  return (
    <div className={css.graph} style={{ height }}>
      <svg className={css.lines} width="100%" height={height} aria-hidden="true">
        {spots.map((spot) => {
          const to = spot.profile.into === undefined ? undefined : at.get(spot.profile.into);
          if (to === undefined) return null;
          const x = to.depth * INDENT + 14;
          const y = spot.row * STEP + MIDDLE;
          const from = to.row * STEP + MIDDLE + 26;
          return (
            <path
              key={spot.profile.id}
              d={`M ${x} ${from} V ${y - 10} Q ${x} ${y} ${x + 10} ${y} H ${spot.depth * INDENT}`}
              className={css.line}
            />
          );
        })}
      </svg>
      <ul className={css.spots} aria-label={t('identities:graph')}>
        {spots.map((spot) => (
          <li
            key={spot.profile.id}
            className={css.spot}
            data-root={spot.depth === 0 || undefined}
            style={{ insetBlockStart: spot.row * STEP, insetInlineStart: spot.depth * INDENT }}
            title={spot.profile.id}
          >
            <strong>{t('identities:profile', { id: short(spot.profile.id) })}</strong>
            <span className={css.when}>{sentence(spot)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
