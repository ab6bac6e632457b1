import { lazy, Suspense } from 'react';
import { useSession } from '@/metadata';
import { Avatar, useLateMenu } from '@/ui';
import css from './frame.module.css';

const load = () => import('./account-menu').then((module) => ({ default: module.AccountMenu }));
const AccountMenu = lazy(load);

/** The person at the lower left; the menu behind it is fetched when somebody is about to open it. */
export function Account() {
  const { user, workspace } = useSession();
  const { wanted, trigger } = useLateMenu(load);
  const name = user.name || user.email;
  const button = (
    <button type="button" className={css.account} title={`${name} \u00b7 ${workspace.name}`} {...trigger}>
      <Avatar name={name} size={22} shape="round" />
      <span className="truncate">{name}</span>
    </button>
  );
  if (!wanted) return button;
  return (
    <Suspense fallback={button}>
      <AccountMenu />
    </Suspense>
  );
}
