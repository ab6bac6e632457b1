import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { scoresQuery } from '@/api';
import { useTranslation } from '@/i18n';
import css from './customers.module.css';

/** Why models say of a customer what they say; nothing while there is nothing to say. */
export function Scores({ id }: { id: string }) {
  const { t } = useTranslation('customers');
  const { data } = useQuery(scoresQuery(id));
  if (data === undefined || data.items.length === 0) return null;
  return (
    <section className={css.group} aria-label={t('customers:traits.reasons')}>
      <h2 className={css.groupHead}>{t('customers:traits.reasons')}</h2>
      {data.items.map((model) => (
        <div key={model.model} className={css.reasons}>
          <Link to="/models/$key" params={{ key: model.model }} search={{}}>
            {model.label}
          </Link>
          <ul>
            {model.reasons.map((reason) => (
              <li key={reason.text}>
                {reason.effect >= 0 ? <IconArrowUp size={13} aria-hidden /> : <IconArrowDown size={13} aria-hidden />}
                {reason.text}
              </li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}
