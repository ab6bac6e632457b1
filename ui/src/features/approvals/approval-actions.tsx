import {
  IconArrowBackUp,
  IconCheck,
  IconMessage,
  IconSend,
  IconTrash,
  IconUserPlus,
  IconUserShare,
  IconX,
} from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import {
  type Approval,
  addApprovers,
  commentApproval,
  decideApproval,
  errorText,
  type FieldValues,
  handOver,
  refreshApprovals,
  resubmitApproval,
  usersQuery,
  withdrawApproval,
} from '@/api';
import { FieldEditor, kindOf } from '@/fields';
import { labelText, useLanguage, useTranslation } from '@/i18n';
import { findField, useCan, useObject, useSession } from '@/metadata';
import {
  Button,
  confirm,
  IconButton,
  Menu,
  type MenuEntry,
  Modal,
  MultiSelect,
  RadioGroup,
  Select,
  Textarea,
  toast,
} from '@/ui';
import css from './approvals.module.css';

type Asking = 'hand' | 'add' | null;

/** What the viewer can do about a request. */
export function ApprovalActions({ request }: { request: Approval }) {
  const { t } = useTranslation(['approvals', 'common']);
  const client = useQueryClient();
  const can = useCan();
  const [comment, setComment] = useState('');
  const [busy, setBusy] = useState('');
  const [asking, setAsking] = useState<Asking>(null);
  const act = async (what: string, run: () => Promise<Approval>) => {
    setBusy(what);
    try {
      const moved = await run();
      await refreshApprovals(client, moved);
      setComment('');
      toast.ok(t(`approvals:did.${what}`));
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    } finally {
      setBusy('');
    }
  };
  const text = comment.trim();
  const open = request.state === 'pending' || request.state === 'returned';
  const returnTo = (to: number | undefined) => {
    if (text === '') {
      toast.error(t('approvals:commentNeeded'));
      return;
    }
    void act('return', () =>
      decideApproval(request.id, { answer: 'return', comment: text, ...(to !== undefined && { to }) }),
    );
  };
  const earlier = (request.steps ?? []).flatMap((step, at) => (step.state === 'done' ? [{ name: step.name, at }] : []));
  const backTo: MenuEntry[] = [
    { label: t('approvals:toRequester', { name: request.requester.name }), onSelect: () => returnTo(undefined) },
    ...earlier.map((step) => ({
      label: t('approvals:toStep', { step: step.name }),
      onSelect: () => returnTo(step.at),
    })),
  ];
  const withdraw = async () => {
    const yes = await confirm({
      title: t('approvals:withdrawTitle'),
      text: t('approvals:withdrawText'),
      confirm: t('approvals:withdraw'),
      danger: true,
    });
    if (yes) await act('withdraw', () => withdrawApproval(request.id, text));
  };
  return (
    <div className={css.act}>
      {request.mine && request.state === 'returned' && <Correct request={request} />}
      {open && (
        <Textarea
          label={request.asked ? t('approvals:comment') : t('approvals:leaveComment')}
          value={comment}
          onChange={setComment}
          minRows={2}
        />
      )}
      <div className={css.buttons}>
        {request.asked && (
          <>
            <Button
              kind="primary"
              icon={<IconCheck size={15} />}
              loading={busy === 'approve'}
              onClick={() =>
                void act('approve', () => decideApproval(request.id, { answer: 'approve', comment: text }))
              }
            >
              {t('approvals:approve')}
            </Button>
            <Button
              kind="danger"
              icon={<IconX size={15} />}
              loading={busy === 'reject'}
              onClick={() => void act('reject', () => decideApproval(request.id, { answer: 'reject', comment: text }))}
            >
              {t('approvals:reject')}
            </Button>
            <Menu
              target={<Button icon={<IconArrowBackUp size={15} />}>{t('approvals:return')}</Button>}
              entries={backTo}
            />
            <Button icon={<IconUserShare size={15} />} onClick={() => setAsking('hand')}>
              {t('approvals:handOver')}
            </Button>
            <Button icon={<IconUserPlus size={15} />} onClick={() => setAsking('add')}>
              {t('approvals:add')}
            </Button>
          </>
        )}
        {open && (
          <Button
            icon={<IconMessage size={15} />}
            disabled={text === ''}
            loading={busy === 'comment'}
            onClick={() => void act('comment', () => commentApproval(request.id, text))}
          >
            {t('approvals:sendComment')}
          </Button>
        )}
        {open && (request.mine || can('schema.manage')) && (
          <Button loading={busy === 'withdraw'} onClick={() => void withdraw()}>
            {t('approvals:withdraw')}
          </Button>
        )}
      </div>
      {asking !== null && (
        <PeopleDialog
          asking={asking}
          request={request}
          comment={text}
          onClose={() => setAsking(null)}
          onSend={(people, when) => {
            setAsking(null);
            const [first] = people;
            if (asking === 'hand' && first !== undefined) void act('hand', () => handOver(request.id, first, text));
            if (asking === 'add') void act('add', () => addApprovers(request.id, people, when, text));
          }}
        />
      )}
    </div>
  );
}

interface PeopleProps {
  asking: 'hand' | 'add';
  request: Approval;
  comment: string;
  onClose: () => void;
  onSend: (people: string[], when: 'before' | 'with' | 'after') => void;
}

function PeopleDialog({ asking, onClose, onSend }: PeopleProps) {
  const { t } = useTranslation(['approvals', 'common']);
  const { user } = useSession();
  const people = (useQuery(usersQuery()).data?.items ?? [])
    .filter((one) => !one.disabled && one.id !== user.id)
    .map((one) => ({ value: one.id, label: one.name || one.email }));
  const [chosen, setChosen] = useState<string[]>([]);
  const [when, setWhen] = useState<'before' | 'with' | 'after'>('before');
  return (
    <Modal
      opened
      onClose={onClose}
      title={t(`approvals:people.${asking}`)}
      size={440}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" disabled={chosen.length === 0} onClick={() => onSend(chosen, when)}>
            {t('approvals:people.send')}
          </Button>
        </>
      }
    >
      <div className={css.act}>
        {asking === 'hand' ? (
          <Select
            label={t('approvals:people.who')}
            searchable
            options={people}
            value={chosen[0] ?? null}
            onChange={(next) => setChosen(next === null ? [] : [next])}
          />
        ) : (
          <>
            <MultiSelect
              label={t('approvals:people.who')}
              searchable
              options={people}
              value={chosen}
              onChange={setChosen}
            />
            <RadioGroup
              label={t('approvals:people.when')}
              value={when}
              onChange={(next) => setWhen(next as typeof when)}
              options={(['before', 'with', 'after'] as const).map((value) => ({
                value,
                label: t(`approvals:people.${value}`),
              }))}
            />
          </>
        )}
      </div>
    </Modal>
  );
}

/** Puts right what came back, and sends it again. */
function Correct({ request }: { request: Approval }) {
  const { t } = useTranslation(['approvals', 'common']);
  const client = useQueryClient();
  const language = useLanguage();
  const object = useObject(request.object);
  const [values, setValues] = useState<FieldValues>({});
  const [dropped, setDropped] = useState<string[]>([]);
  const [comment, setComment] = useState('');
  const [busy, setBusy] = useState(false);
  const fields = request.changes.flatMap((change) => {
    const field = findField(object, change.field);
    return field === undefined || dropped.includes(change.field) ? [] : [{ field, change }];
  });
  const send = async () => {
    setBusy(true);
    try {
      const input = Object.fromEntries(
        Object.entries(values)
          .filter(([key]) => !dropped.includes(key))
          .map(([key, value]) => {
            const field = findField(object, key);
            return [key, field === undefined ? value : kindOf(field.type).toWrite(value)];
          }),
      );
      await refreshApprovals(client, await resubmitApproval(request.id, input, dropped, comment.trim()));
      toast.ok(t('approvals:did.resubmit'));
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
      setBusy(false);
    }
  };
  return (
    <section className={css.act} aria-label={t('approvals:correct')}>
      <h3>{t('approvals:correct')}</h3>
      {!request.assign &&
        fields.map(({ field, change }) => {
          // A personal value is not known here: left alone, it stays as it was proposed.
          const proposed = field.personal ? null : change.after;
          const value = field.key in values ? values[field.key] : proposed;
          return (
            <div key={field.key} className={css.correct}>
              <FieldEditor
                field={field}
                value={value}
                onChange={(next) => setValues((old) => ({ ...old, [field.key]: next }))}
                label={labelText(field.label, language, field.key)}
                {...(field.personal && { description: t('approvals:personalKept', { value: String(change.after) }) })}
              />
              {fields.length > 1 && (
                <IconButton
                  label={t('approvals:drop')}
                  icon={<IconTrash size={15} />}
                  onClick={() => setDropped([...dropped, field.key])}
                />
              )}
            </div>
          );
        })}
      <Textarea label={t('approvals:ask.reason')} value={comment} onChange={setComment} minRows={2} />
      <div className={css.buttons}>
        <Button kind="primary" icon={<IconSend size={15} />} loading={busy} onClick={() => void send()}>
          {t('approvals:resubmit')}
        </Button>
      </div>
    </section>
  );
}
