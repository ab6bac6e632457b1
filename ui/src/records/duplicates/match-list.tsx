import type { DuplicateMatch, DuplicateReason, ObjectType } from '@/api';
import { useFieldContext } from '@/fields';
import { labelText, useTranslation } from '@/i18n';
import { Pill } from '@/ui';
import { pillsOf } from '../page/facts';
import css from './duplicates.module.css';

/** Why two records may be the same: "same phone", "name sounds alike 93 %". */
export function Reasons({ reasons }: { reasons: readonly DuplicateReason[] }) {
  const { t } = useTranslation('duplicates');
  const { language } = useFieldContext();
  return (
    <span className={css.reasons}>
      {reasons.map((reason) => {
        const field = labelText(reason.label, language, reason.field);
        return (
          <Pill key={`${reason.field}/${reason.method}`} color={reason.alike === 100 ? 'teal' : 'amber'}>
            {reason.alike === 100
              ? t('duplicates:reason.same', { field })
              : t('duplicates:reason.alike', { field, share: reason.alike })}
          </Pill>
        );
      })}
    </span>
  );
}

interface Props {
  object: ObjectType;
  matches: readonly DuplicateMatch[];
}

/** Records that may be the same; each opens in a window of its own, so that what was typed is not lost. */
export function MatchList({ object, matches }: Props) {
  const { t } = useTranslation('duplicates');
  const context = useFieldContext();
  return (
    <ul className={css.list}>
      {matches.map((match, at) => (
        <li key={match.record?.id ?? `hidden-${at}`} className={css.match}>
          <div className={css.line}>
            {match.record === null ? (
              <span>{t('duplicates:hidden')}</span>
            ) : (
              <a href={`/o/${object.key}/${match.record.id}`} target="_blank" rel="noreferrer" className={css.name}>
                {match.record.title || match.record.id}
              </a>
            )}
            <span className="muted">{t('duplicates:score', { share: match.score })}</span>
            {match.deleted && <Pill color="gray">{t('duplicates:inBin')}</Pill>}
            {match.record !== null && pillsOf(object, match.record, context)}
          </div>
          <Reasons reasons={match.reasons} />
          {match.record === null && match.owner !== null && (
            <span className="muted">{t('duplicates:askOwner', { name: match.owner.title })}</span>
          )}
        </li>
      ))}
    </ul>
  );
}
