import { IconBell } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { unreadQuery } from '@/api';
import { useTranslation } from '@/i18n';
import css from './bell.module.css';

const MOST = 99;

/** How much I was told and have not read; leads to all of it. */
export function Bell() {
  const { t } = useTranslation('shell');
  const count = useQuery({ ...unreadQuery(), retry: false }).data?.count ?? 0;
  return (
    <Link
      to="/notifications"
      className={css.bell}
      aria-label={t('shell:bell', { count })}
      title={t('shell:bell', { count })}
    >
      <IconBell size={17} stroke={1.6} aria-hidden />
      {count > 0 && (
        <span className={css.count} aria-hidden>
          {count > MOST ? `${MOST}+` : count}
        </span>
      )}
    </Link>
  );
}
