import { lazy, Suspense } from 'react';
import { useSession } from '@/metadata';
import { Avatar } from '@/ui';
import css from './frame.module.css';

const AccountMenu = lazy(() => import('./account-menu').then((module) => ({ default: module.AccountMenu })));

function Waiting() {
  const { user } = useSession();
  const name = user.name || user.email;
  return (
    <span className={css.account}>
      <Avatar name={name} size={22} shape="round" />
      <span className="truncate">{name}</span>
    </span>
  );
}

/** The person at the lower left; the menu behind it comes after the first paint. */
export function Account() {
  return (
    <Suspense fallback={<Waiting />}>
      <AccountMenu />
    </Suspense>
  );
}
