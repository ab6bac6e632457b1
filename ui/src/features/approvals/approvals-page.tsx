import { IconCheck, IconX } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import {
  type Approval,
  type ApprovalTab,
  approvalCountQuery,
  approvalsQuery,
  decideApprovals,
  errorText,
  refreshApprovals,
} from '@/api';
import { useFieldContext } from '@/fields';
import { labelText, useFormat, useTranslation } from '@/i18n';
import { useCan, useObject } from '@/metadata';
import { changeText } from '@/records/page/timeline';
import { Button, Checkbox, Dot, EmptyState, ErrorState, Modal, Page, SkeletonRows, Tabs, Textarea, toast } from '@/ui';
import { ApprovalDrawer } from './approval-drawer';
import css from './approvals.module.css';
import { AwayDialog } from './away-dialog';
import { STATE_HUES, useRequestTitle } from './words';

const SHOWN = 3;

function Peek({ request }: { request: Approval }) {
  const object = useObject(request.object);
  const context = useFieldContext();
  if (request.changes.length === 0) return null;
  return (
    <div className={css.peek}>
      {request.changes.slice(0, SHOWN).map((change) => (
        <span key={change.field}>
          <span>{labelText(change.label, context.language, change.field)} </span>
          {request.action !== 'create' && (
            <>
              <del>{changeText(change.before, change, object, context)}</del>
              <span aria-hidden>{' \u2192 '}</span>
            </>
          )}
          <ins>{changeText(change.after, change, object, context)}</ins>
        </span>
      ))}
      {request.changes.length > SHOWN && <span>{`+${request.changes.length - SHOWN}`}</span>}
    </div>
  );
}

interface CardProps {
  request: Approval;
  chosen: boolean | null;
  onChoose: (on: boolean) => void;
  onOpen: () => void;
  onAnswer: (answer: 'approve' | 'reject') => void;
}

function Card({ request, chosen, onChoose, onOpen, onAnswer }: CardProps) {
  const { t } = useTranslation('approvals');
  const fmt = useFormat();
  const title = useRequestTitle()(request);
  const late = request.due_at !== null && new Date(request.due_at).getTime() < Date.now();
  return (
    <li className={css.card} data-chosen={chosen ?? false}>
      {chosen !== null && (
        <Checkbox checked={chosen} onChange={onChoose} aria-label={t('approvals:choose', { name: title })} />
      )}
      <button type="button" className={css.open} onClick={onOpen}>
        <span className={css.top}>
          <span className={css.title}>{title}</span>
          <Dot color={STATE_HUES[request.state]}>{t(`approvals:state.${request.state}`)}</Dot>
        </span>
        <span className={css.facts}>
          <span>{request.name}</span>
          <span>{request.requester.name}</span>
          <time dateTime={request.at} title={fmt.datetime(request.at)}>
            {fmt.relative(request.at)}
          </time>
          {request.step !== '' && <span>{t('approvals:atStep', { step: request.step })}</span>}
          {!request.asked && request.waiting.length > 0 && (
            <span>{request.waiting.map((one) => one.title).join(t('approvals:comma'))}</span>
          )}
          {request.for !== null && <span>{t('approvals:forSomebody', { name: request.for.title })}</span>}
          {request.due_at !== null && (
            <span className={late ? css.late : undefined}>
              {t('approvals:due', { when: fmt.relative(request.due_at) })}
            </span>
          )}
        </span>
        <Peek request={request} />
        {request.comment !== '' && <span className={css.facts}>{`\u201c${request.comment}\u201d`}</span>}
      </button>
      {request.asked && (
        <div className={css.answers}>
          <Button icon={<IconX size={15} />} onClick={() => onAnswer('reject')}>
            {t('approvals:reject')}
          </Button>
          <Button kind="primary" icon={<IconCheck size={15} />} onClick={() => onAnswer('approve')}>
            {t('approvals:approve')}
          </Button>
        </div>
      )}
    </li>
  );
}

/** Asks for a comment and answers one or several requests. */
function AnswerDialog({
  ids,
  answer,
  onClose,
}: {
  ids: string[];
  answer: 'approve' | 'reject';
  onClose: (done: boolean) => void;
}) {
  const { t } = useTranslation(['approvals', 'common']);
  const client = useQueryClient();
  const [comment, setComment] = useState('');
  const [busy, setBusy] = useState(false);
  const send = async () => {
    setBusy(true);
    try {
      const { items } = await decideApprovals(ids, answer, comment.trim());
      await refreshApprovals(client);
      const failed = items.filter((item) => item.error !== undefined);
      const done = items.length - failed.length;
      if (done > 0) toast.ok(t(`approvals:answered.${answer}`, { count: done }));
      if (failed.length > 0)
        toast.error(t('approvals:answered.failed', { count: failed.length }), {
          detail: failed[0]?.error?.title ?? '',
        });
      onClose(true);
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
      setBusy(false);
    }
  };
  return (
    <Modal
      opened
      onClose={() => onClose(false)}
      title={t(`approvals:answer.${answer}`, { count: ids.length })}
      size={440}
      footer={
        <>
          <Button onClick={() => onClose(false)}>{t('common:cancel')}</Button>
          <Button kind={answer === 'approve' ? 'primary' : 'danger'} loading={busy} onClick={() => void send()}>
            {t(`approvals:${answer}`)}
          </Button>
        </>
      }
    >
      <Textarea
        label={t('approvals:comment')}
        placeholder={t('approvals:commentOptional')}
        value={comment}
        onChange={setComment}
        minRows={3}
      />
    </Modal>
  );
}

/** What waits for me, what I asked for, and what I answered. */
export function ApprovalsPage() {
  const { t } = useTranslation('approvals');
  const can = useCan();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as { tab?: ApprovalTab; id?: string };
  const tab = search.tab ?? 'waiting';
  const [chosen, setChosen] = useState<string[]>([]);
  const [answering, setAnswering] = useState<{ ids: string[]; answer: 'approve' | 'reject' } | null>(null);
  const [away, setAway] = useState(false);
  const waiting = useQuery(approvalCountQuery()).data?.count ?? 0;
  const answer = useInfiniteQuery(approvalsQuery(tab));
  const list = answer.data?.pages.flatMap((page) => page.items) ?? [];
  const askable = list.filter((one) => one.asked).map((one) => one.id);
  const picked = chosen.filter((id) => askable.includes(id));
  const go = (part: Partial<typeof search>) =>
    navigate({ to: '/approvals', search: { ...search, ...part } as never, replace: part.tab !== undefined });
  const tabs: ApprovalTab[] = ['waiting', 'mine', 'done', ...(can('schema.manage') ? (['all'] as const) : [])];
  return (
    <Page
      title={t('approvals:title')}
      actions={<Button onClick={() => setAway(true)}>{t('approvals:away.button')}</Button>}
    >
      <div className={css.bar}>
        <Tabs
          label={t('approvals:title')}
          value={tab}
          onChange={(next) => {
            setChosen([]);
            void go({ tab: next });
          }}
          items={tabs.map((value) => ({
            value,
            label: t(`approvals:tab.${value}`),
            ...(value === 'waiting' && waiting > 0 && { count: waiting }),
          }))}
        />
      </div>
      {tab === 'waiting' && askable.length > 1 && (
        <div className={css.bar}>
          <Checkbox
            checked={picked.length === askable.length}
            onChange={(on) => setChosen(on ? askable : [])}
            label={t('approvals:chooseAll')}
          />
          <Button
            disabled={picked.length === 0}
            onClick={() => setAnswering({ ids: picked, answer: 'approve' })}
            icon={<IconCheck size={15} />}
          >
            {t('approvals:approveMany', { count: picked.length })}
          </Button>
          <Button
            disabled={picked.length === 0}
            onClick={() => setAnswering({ ids: picked, answer: 'reject' })}
            icon={<IconX size={15} />}
          >
            {t('approvals:rejectMany', { count: picked.length })}
          </Button>
        </div>
      )}
      {answer.isPending && <SkeletonRows rows={6} height={64} />}
      {answer.isError && <ErrorState error={answer.error} onRetry={() => answer.refetch()} />}
      {answer.isSuccess && list.length === 0 && (
        <EmptyState cause="none" title={t(`approvals:none.${tab}`)} text={t('approvals:none.text')} />
      )}
      <ul className={css.list} aria-label={t(`approvals:tab.${tab}`)}>
        {list.map((request) => (
          <Card
            key={request.id}
            request={request}
            chosen={tab === 'waiting' && request.asked && askable.length > 1 ? chosen.includes(request.id) : null}
            onChoose={(on) => setChosen(on ? [...chosen, request.id] : chosen.filter((id) => id !== request.id))}
            onOpen={() => void go({ id: request.id })}
            onAnswer={(next) => setAnswering({ ids: [request.id], answer: next })}
          />
        ))}
      </ul>
      {answer.hasNextPage && (
        <div className={css.more}>
          <Button loading={answer.isFetchingNextPage} onClick={() => answer.fetchNextPage()}>
            {t('approvals:more')}
          </Button>
        </div>
      )}
      {answering !== null && (
        <AnswerDialog
          ids={answering.ids}
          answer={answering.answer}
          onClose={(done) => {
            setAnswering(null);
            if (done) setChosen([]);
          }}
        />
      )}
      {away && <AwayDialog onClose={() => setAway(false)} />}
      {search.id !== undefined && <ApprovalDrawer id={search.id} onClose={() => void go({ id: undefined as never })} />}
    </Page>
  );
}
