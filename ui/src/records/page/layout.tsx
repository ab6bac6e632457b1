import type { ReactNode } from 'react';
import { thumbnailUrl } from '@/api';
import { Avatar } from '@/ui';
import css from './layout.module.css';

interface LayoutProps {
  identity: ReactNode;
  fields: ReactNode;
  highlights: ReactNode;
  notice?: ReactNode;
  children: ReactNode;
}

/** Fields at the left, what happened at the right. On phones: who, figures, what happened, then the fields. */
export function RecordLayout({ identity, fields, highlights, notice, children }: LayoutProps) {
  return (
    <div className={css.scroll}>
      {notice}
      <div className={css.layout}>
        <div className={css.identity}>{identity}</div>
        <div className={css.fields}>{fields}</div>
        <div className={css.main}>
          {highlights}
          {children}
        </div>
      </div>
    </div>
  );
}

interface IdentityProps {
  title: string;
  avatar: boolean;
  /** The file that shows what the record is about, instead of a sign. */
  picture?: string | undefined;
  subtitle?: ReactNode;
  pills?: ReactNode;
}
export function Identity({ title, avatar, picture, subtitle, pills }: IdentityProps) {
  return (
    <>
      <div className={css.who}>
        {picture !== undefined && <img className={css.portrait} src={thumbnailUrl(picture)} alt="" />}
        {avatar && picture === undefined && <Avatar name={title} size={44} />}
        <div className={css.names}>
          <div className={css.name}>{title}</div>
          {subtitle !== undefined && <div className={css.subtitle}>{subtitle}</div>}
        </div>
      </div>
      {Boolean(pills) && <div className={css.pills}>{pills}</div>}
    </>
  );
}

/** A banner over a record: it is in the recycle bin. */
export function Notice({ children, action }: { children: ReactNode; action?: ReactNode }) {
  return (
    <div className={css.notice} role="status">
      <span>{children}</span>
      {action}
    </div>
  );
}
