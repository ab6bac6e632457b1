import { IconPlus, IconSend, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import {
  GUEST_ANSWERS,
  type Guest,
  type GuestAnswer,
  guestsQuery,
  isApiError,
  mailStateQuery,
  type RecordData,
  useAddGuest,
  useInviteGuests,
  useNoteAnswer,
  useRemoveGuest,
} from '@/api';
import { loadWords, useTranslation } from '@/i18n';
import { findObject, useCan, useObjects } from '@/metadata';
import { Button, ErrorState, IconButton, Pill, Select, SkeletonRows, TextInput, toast } from '@/ui';
import css from './guests.module.css';

/** Who is asked to a meeting, what they answered, and who has not heard of it as it is. */
export function Guests({ record }: { record: RecordData }) {
  const [ready, setReady] = useState(false);
  useEffect(() => {
    void loadWords('guests').then(() => setReady(true));
  }, []);
  return ready ? <Body record={record} /> : <SkeletonRows rows={4} />;
}

/** The contact and the customer of the meeting, as a first guess at whom to ask. */
function near(record: RecordData): { object: 'contact' | 'customer'; id: string; title: string }[] {
  return (['contact', 'customer'] as const).flatMap((object) => {
    const ref = record.fields[object] as { id?: string; title?: string } | null | undefined;
    return ref?.id === undefined ? [] : [{ object, id: ref.id, title: ref.title ?? '' }];
  });
}

function Body({ record }: { record: RecordData }) {
  const { t } = useTranslation('guests');
  const can = useCan();
  const objects = useObjects();
  const { data, error, refetch } = useQuery(guestsQuery(record.id));
  const ready = useQuery(mailStateQuery()).data?.ready === true;
  const invite = useInviteGuests(record.id);
  if (data === undefined)
    return error === null ? <SkeletonRows rows={4} /> : <ErrorState compact error={error} onRetry={() => refetch()} />;
  const mayChange = findObject(objects, record.object)?.actions.update === true && record.deleted_at === null;
  return (
    <div className={css.guests}>
      {data.items.length === 0 && <p className="muted">{t('guests:none')}</p>}
      <ul className={css.list}>
        {data.items.map((guest) => (
          <Line key={guest.id} meeting={record.id} guest={guest} mayChange={mayChange} />
        ))}
      </ul>
      {mayChange && <Add record={record} guests={data.items} />}
      {can('mail.send') && data.stale > 0 && (
        <div className={css.send}>
          <Button
            kind="primary"
            icon={<IconSend size={15} />}
            disabled={!ready}
            loading={invite.isPending}
            onClick={() =>
              invite.mutate(undefined, {
                onSuccess: ({ count }) => toast.ok(t('guests:sent', { count })),
                onError: (failure) => toast.error(failure.message),
              })
            }
          >
            {t('guests:send', { count: data.stale })}
          </Button>
          <span className="muted">{ready ? t('guests:sendHelp') : t('guests:noServer')}</span>
        </div>
      )}
    </div>
  );
}

function Line({ meeting, guest, mayChange }: { meeting: string; guest: Guest; mayChange: boolean }) {
  const { t } = useTranslation('guests');
  const note = useNoteAnswer(meeting);
  const remove = useRemoveGuest(meeting);
  const failed = (failure: Error) => toast.error(failure.message);
  const state = () => {
    if (guest.removed) return <Pill color="orange">{t('guests:state.removed')}</Pill>;
    if (!guest.invited) return <Pill color="gray">{t('guests:state.new')}</Pill>;
    return guest.stale ? (
      <Pill color="orange">{t('guests:state.stale')}</Pill>
    ) : (
      <Pill color="green">{t('guests:state.invited')}</Pill>
    );
  };
  return (
    <li className={css.line}>
      <span className={css.who}>
        <span>{guest.name}</span>
        <span className="muted">{guest.to}</span>
      </span>
      {state()}
      <Select
        aria-label={t('guests:answerOf', { name: guest.name })}
        className={css.answer}
        disabled={!mayChange || guest.removed}
        value={guest.answer === '' ? 'none' : guest.answer}
        onChange={(value) =>
          note.mutate(
            { guest: guest.id, answer: (value === 'none' ? '' : (value ?? '')) as GuestAnswer },
            { onError: failed },
          )
        }
        options={GUEST_ANSWERS.map((each) => ({ value: each || 'none', label: t(`guests:answer.${each || 'none'}`) }))}
      />
      {mayChange && !guest.removed && (
        <IconButton
          label={t('guests:remove', { name: guest.name })}
          icon={<IconTrash size={16} />}
          onClick={() => remove.mutate(guest.id, { onError: failed })}
        />
      )}
    </li>
  );
}

function Add({ record, guests }: { record: RecordData; guests: readonly Guest[] }) {
  const { t } = useTranslation('guests');
  const add = useAddGuest(record.id);
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const offers = near(record).filter(({ id }) => !guests.some((guest) => guest.record?.id === id && !guest.removed));
  const fault = isApiError(add.error) ? (add.error.at('email') ?? add.error.message) : undefined;
  const submit = () => {
    if (email.trim() === '') return;
    add.mutate(
      { name: name.trim(), email: email.trim() },
      {
        onSuccess: () => {
          setName('');
          setEmail('');
        },
      },
    );
  };
  return (
    <form
      className={css.add}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {offers.length > 0 && (
        <div className={css.offers}>
          {offers.map((offer) => (
            <Button
              key={offer.id}
              icon={<IconPlus size={15} />}
              disabled={add.isPending}
              onClick={() =>
                add.mutate(
                  { object: offer.object, record: offer.id },
                  { onError: (failure) => toast.error(failure.message) },
                )
              }
            >
              {offer.title}
            </Button>
          ))}
        </div>
      )}
      <TextInput label={t('guests:name')} value={name} maxLength={200} onChange={setName} />
      <TextInput label={t('guests:email')} type="email" value={email} onChange={setEmail} error={fault} />
      <Button type="submit" icon={<IconPlus size={15} />} loading={add.isPending} disabled={email.trim() === ''}>
        {t('guests:add')}
      </Button>
    </form>
  );
}
