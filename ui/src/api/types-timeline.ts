import type { Label } from '@/i18n';
import type { Money } from '@/lib/format';
import type { RecordFile } from './files';
import type { LetterShown } from './letters';
import type { Comment } from './talk';
import type { Actor, Change, RecordData, Ref } from './types';

export type TimelineKind =
  | 'created'
  | 'updated'
  | 'deleted'
  | 'restored'
  | 'merged'
  | 'unmerged'
  | 'erased'
  | 'order'
  | 'refund'
  | 'class'
  | 'segment'
  | 'task'
  | 'call'
  | 'meeting'
  | 'visit'
  | 'note'
  | 'comment'
  | 'file'
  | 'letter'
  | 'approval'
  | 'behaviour'
  | 'identity'
  | 'interaction';
export interface TimelineEntry {
  id: string;
  at: string;
  kind: TimelineKind;
  actor?: Actor | null;
  title: Label;
  record?: Ref | null;
  amount?: Money | null;
  changes?: Change[];
  /** The task, call, meeting, visit or note itself. */
  activity?: RecordData;
  /** What somebody said. */
  comment?: Comment;
  /** A file that was added. */
  file?: RecordFile;
  /** A mail that was written to the customer. */
  letter?: LetterShown;
  /** A step of a request for agreement. */
  approval?: { request: string; what: string; step?: string; comment?: string };
  /** What more there is to say of a visit to a site, or of a join of visitors, in one line. */
  detail?: Label;
  /** A visit to a site or an app. */
  visit?: { id: string; ended_at: string };
  /** Of the contacts of a company the one whose order or visit it was. */
  contact?: Ref;
}
export interface SearchHit {
  object: string;
  id: string;
  title: string;
  subtitle: string;
  match: string;
}
