import { useQuery } from '@tanstack/react-query';
import { profileQuery, recordQuery } from '@/api';
import { useFieldContext } from '@/fields';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useObject, useTraits } from '@/metadata';
import { Button, EmptyState, ErrorState, Pill, SkeletonRows } from '@/ui';
import { factsOf, pillsOf, profileFacts } from '../page/facts';
import { FieldList } from '../page/field-list';
import { Highlights } from '../page/highlights';
import { Identity, Notice } from '../page/layout';
import { OrderLines } from '../page/order-lines';
import { useRecordWork } from '../page/record-work';
import { hasAvatar, pictureOf } from '../title';
import css from './record-peek.module.css';

export interface RecordPeekProps {
  object: string;
  id: string;
  /** Shows another record over this one. */
  onOpen: (object: string, id: string) => void;
  onClose: () => void;
}

/** A record in the side panel: who, the figures, and every field, edited where it stands. */
export function RecordPeek({ object: key, id, onOpen, onClose }: RecordPeekProps) {
  const { t } = useTranslation('records');
  const label = useLabel();
  const fmt = useFormat();
  const context = useFieldContext();
  const object = useObject(key);
  const customer = key === 'customer';
  const traits = useTraits(customer);
  const plain = useQuery({ ...recordQuery(key, id), enabled: !customer });
  const profile = useQuery({ ...profileQuery(id), enabled: customer });
  const answer = customer ? profile : plain;
  const record = customer ? profile.data?.record : plain.data;
  if (object === undefined) return <EmptyState cause="not_found" compact />;
  if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} compact />;
  if (record === undefined) return <SkeletonRows rows={8} />;
  const facts =
    profile.data === undefined || object.layout?.highlights?.length
      ? factsOf(object, record, context)
      : profileFacts(profile.data, context, traits).slice(0, 4);
  const classes = profile.data?.classes ?? [];
  const pills = pillsOf(object, record, context);
  return (
    <div className={css.peek}>
      {record.deleted_at !== null && <Deleted object={object} record={record} onClose={onClose} />}
      <div className={css.head}>
        <Identity
          title={record.title || record.id}
          avatar={hasAvatar(object)}
          picture={pictureOf(object, record)}
          subtitle={t('records:page.updated', { when: fmt.relative(record.updated_at) })}
          pills={
            (classes.length > 0 || pills !== null) && (
              <>
                {classes.map((item) => (
                  <Pill key={item.classification} color={item.color}>
                    {label(item.class_label, item.key)}
                  </Pill>
                ))}
                {pills}
              </>
            )
          }
        />
      </div>
      <Highlights items={facts} label={t('records:page.details')} />
      {key === 'order' && <OrderLines order={record} onOpenRef={(ref) => onOpen(ref.object, ref.id)} />}
      <FieldList object={object} record={record} onOpenRef={(ref) => onOpen(ref.object, ref.id)} />
    </div>
  );
}

function Deleted({
  object,
  record,
  onClose,
}: {
  object: NonNullable<ReturnType<typeof useObject>>;
  record: Parameters<ReturnType<typeof useRecordWork>['remove']>[0];
  onClose: () => void;
}) {
  const { t } = useTranslation('records');
  const fmt = useFormat();
  const work = useRecordWork(object);
  return (
    <Notice
      action={
        <Button
          kind="subtle"
          onClick={() => {
            void work.restore(record);
            onClose();
          }}
        >
          {t('records:page.restore')}
        </Button>
      }
    >
      {t('records:page.inBin', { when: fmt.relative(record.deleted_at) })}
    </Notice>
  );
}
