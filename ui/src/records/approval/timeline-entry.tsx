import { Link } from '@tanstack/react-router';
import type { TimelineEntry } from '@/api';
import css from '../page/timeline.module.css';

interface Props {
  approval: NonNullable<TimelineEntry['approval']>;
  title: string;
}

/** A step of a request for approval, with what was said. */
export function ApprovalEntry({ approval, title }: Props) {
  return (
    <span>
      <Link className={css.title} to="/approvals" search={{ id: approval.request }}>
        {title}
      </Link>
      {approval.comment && <span className={css.by}>{` \u201c${approval.comment}\u201d`}</span>}
    </span>
  );
}
