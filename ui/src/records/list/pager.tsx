import { IconChevronLeft, IconChevronRight, IconChevronsLeft } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from '@/i18n';
import { IconButton } from '@/ui';
import { MOST_PAGES, PAGE, pageCount } from '../grid/use-rows';
import css from './list.module.css';
import type { Total } from './list-footer';

interface Props {
  page: number;
  total: Total;
  onPage: (page: number) => void;
}

/** Numbered pages: back, on, and straight to a number. */
export function Pager({ page, total, onPage }: Props) {
  const { t } = useTranslation('views');
  const [typed, setTyped] = useState<string | null>(null);
  const pages = pageCount(total.count);
  const more = total.count !== null && (!total.exact || total.count > MOST_PAGES * PAGE);
  const go = (wanted: number) => {
    setTyped(null);
    if (Number.isInteger(wanted) && wanted >= 1) onPage(Math.min(wanted, pages));
  };
  return (
    <nav className={css.pager} aria-label={t('pages.label')}>
      <IconButton
        size="sm"
        label={t('pages.first')}
        icon={<IconChevronsLeft size={15} />}
        disabled={page === 1}
        onClick={() => go(1)}
      />
      <IconButton
        size="sm"
        label={t('pages.previous')}
        icon={<IconChevronLeft size={15} />}
        disabled={page === 1}
        onClick={() => go(page - 1)}
      />
      <input
        className={css.pageInput}
        inputMode="numeric"
        aria-label={t('pages.page', { page })}
        value={typed ?? String(page)}
        onChange={(event) => setTyped(event.currentTarget.value.replace(/\D/g, ''))}
        onFocus={(event) => event.currentTarget.select()}
        onBlur={() => typed !== null && go(Number(typed))}
        onKeyDown={(event) => event.key === 'Enter' && typed !== null && go(Number(typed))}
      />
      <span title={more ? t('pages.limit', { count: MOST_PAGES }) : undefined}>
        {t('pages.of', { count: pages })}
        {more && '+'}
      </span>
      <IconButton
        size="sm"
        label={t('pages.next')}
        icon={<IconChevronRight size={15} />}
        disabled={page >= pages}
        onClick={() => go(page + 1)}
      />
    </nav>
  );
}
