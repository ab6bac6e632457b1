import { IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import {
  copiesQuery,
  copyFileUrl,
  errorText,
  holdQuery,
  isApiError,
  type ObjectType,
  type RecordData,
  useHold,
  useOrderCopy,
  useRestrict,
} from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, ButtonAnchor, Modal, Switch, TextInput, toast } from '@/ui';
import { EraseForm } from './erase-form';
import css from './privacy.module.css';

interface Props {
  object: ObjectType;
  record: RecordData;
  onClose: () => void;
}

/** What a person may ask about the own data: a copy, restriction, erasure; and the hold that keeps a record from it. */
export function PrivacyDialog({ object, record, onClose }: Props) {
  const { t } = useTranslation(['privacy', 'common']);
  const can = useCan();
  const [erasing, setErasing] = useState(false);
  const erased = record.fields.processing === 'erased';
  if (erasing) return <EraseForm object={object} record={record} onClose={onClose} onBack={() => setErasing(false)} />;
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('privacy:dialog.title', { name: record.title })}
      size={520}
      footer={<Button onClick={onClose}>{t('common:close')}</Button>}
    >
      <div className={css.form}>
        {erased && <p className={css.warn}>{t('privacy:dialog.erased')}</p>}
        {can('privacy.copy') && !erased && <CopyPart object={object} record={record} />}
        {can('privacy.manage') && !erased && object.key === 'customer' && <RestrictPart record={record} />}
        {can('privacy.manage') && <HoldPart object={object} record={record} />}
        {can('privacy.manage') && !erased && (
          <section className={css.part}>
            <h3>{t('privacy:erase.heading')}</h3>
            <p className={css.note}>{t('privacy:erase.about')}</p>
            <div>
              <Button kind="danger" onClick={() => setErasing(true)}>
                {t('privacy:erase.look')}
              </Button>
            </div>
          </section>
        )}
      </div>
    </Modal>
  );
}

const MAKING = 2_000;

function CopyPart({ object, record }: { object: ObjectType; record: RecordData }) {
  const { t } = useTranslation(['privacy', 'common']);
  const fmt = useFormat();
  const order = useOrderCopy(object.key, record.id);
  const copies = useQuery({
    ...copiesQuery(record.id),
    refetchInterval: ({ state }) =>
      state.data?.items.some((each) => each.state === 'queued' || each.state === 'running') ? MAKING : false,
  });
  return (
    <section className={css.part}>
      <h3>{t('privacy:copy.heading')}</h3>
      <p className={css.note}>{t('privacy:copy.about')}</p>
      <ul className={css.list}>
        {(copies.data?.items ?? []).slice(0, 5).map((each) => (
          <li key={each.id}>
            <span>
              {fmt.datetime(each.created_at)} · {t(`privacy:copyState.${each.state}`)}
              {each.state === 'done' && ` · ${fmt.bytes(each.bytes)}`}
              {each.error !== '' && ` · ${each.error}`}
            </span>
            {each.state === 'done' && each.expires_at !== null && (
              <ButtonAnchor href={copyFileUrl(each.id)} icon={<IconDownload size={15} />}>
                {t('privacy:copy.fetch')}
              </ButtonAnchor>
            )}
            {each.state === 'done' && each.expires_at === null && (
              <span className="muted">{t('privacy:copy.expired')}</span>
            )}
          </li>
        ))}
      </ul>
      <div>
        <Button
          loading={order.isPending}
          onClick={() =>
            order.mutate(undefined, {
              onError: (error) => toast.error(t('common:failed.save'), { detail: errorText(error) }),
            })
          }
        >
          {t('privacy:copy.make')}
        </Button>
      </div>
    </section>
  );
}

function RestrictPart({ record }: { record: RecordData }) {
  const { t } = useTranslation(['privacy', 'common']);
  const restrict = useRestrict(record.id);
  const [on, setOn] = useState(record.fields.processing === 'restricted');
  const change = async (next: boolean) => {
    setOn(next);
    try {
      await restrict.mutateAsync(next);
      toast.ok(t('common:saved'));
    } catch (error) {
      setOn(!next);
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    }
  };
  return (
    <section className={css.part}>
      <Switch
        label={t('privacy:restrict.label')}
        description={t('privacy:restrict.about')}
        checked={on}
        disabled={restrict.isPending}
        onChange={(next) => void change(next)}
      />
    </section>
  );
}

function HoldPart({ object, record }: { object: ObjectType; record: RecordData }) {
  const { t } = useTranslation(['privacy', 'common']);
  const fmt = useFormat();
  const { data } = useQuery(holdQuery(object.key, record.id));
  const hold = useHold(object.key, record.id);
  const [reason, setReason] = useState('');
  const problem = isApiError(hold.error) ? (hold.error.at('reason') ?? hold.error.message) : undefined;
  const held = data?.hold ?? null;
  return (
    <section className={css.part}>
      <h3>{t('privacy:hold.heading')}</h3>
      {held === null ? (
        <>
          <p className={css.note}>{t('privacy:hold.about')}</p>
          <div className={css.row}>
            <TextInput
              label={t('privacy:hold.reason')}
              value={reason}
              onChange={setReason}
              maxLength={200}
              error={problem}
            />
            <Button
              disabled={reason.trim() === ''}
              loading={hold.isPending}
              onClick={() => hold.mutate(reason, { onSuccess: () => setReason('') })}
            >
              {t('privacy:hold.set')}
            </Button>
          </div>
        </>
      ) : (
        <div className={css.row}>
          <p className={css.note}>
            {t('privacy:hold.since', { when: fmt.date(held.at), who: held.by.name ?? '', reason: held.reason })}
          </p>
          <Button loading={hold.isPending} onClick={() => hold.mutate(null)}>
            {t('privacy:hold.end')}
          </Button>
        </div>
      )}
    </section>
  );
}
