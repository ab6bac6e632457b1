import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import {
  type CustomerInteraction,
  customerInteractionsQuery,
  dropInteraction,
  errorText,
  type RecordData,
} from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useObject } from '@/metadata';
import { Button, EmptyState, ErrorState, IconButton, Pill, SkeletonRows, toast } from '@/ui';
import { InfluencePart } from './influence';
import css from './interactions.module.css';
import { RecordDialog } from './record-dialog';
import { useDeedName, usePlatforms } from './words';

/** What a customer did off the web and whom that moved; colleagues record more of it here. */
export function InteractionsPanel({ record }: { record: RecordData }) {
  const { t } = useTranslation(['interaction', 'common']);
  const object = useObject('customer');
  const client = useQueryClient();
  const [recording, setRecording] = useState(false);
  const answer = useInfiniteQuery(customerInteractionsQuery(record.id));
  const may = object?.actions.update === true && record.deleted_at === null;
  const refresh = async () => {
    await client.invalidateQueries({ queryKey: ['customers', record.id] });
    await client.invalidateQueries({ queryKey: ['records', 'customer', 'one', record.id, 'timeline'] });
  };
  const drop = async (event: string) => {
    try {
      await dropInteraction(record.id, event);
      toast.ok(t('interaction:dropped'));
    } catch (error) {
      toast.error(t('common:failed.title'), { detail: errorText(error) });
    }
    await refresh();
  };
  const items = answer.data?.pages.flatMap((page) => page.items) ?? [];
  const list = () => {
    if (answer.isError) return <ErrorState compact error={answer.error} onRetry={() => answer.refetch()} />;
    if (answer.data === undefined) return <SkeletonRows rows={5} />;
    if (items.length === 0)
      return <EmptyState compact cause="none" title={t('interaction:none')} text={t('interaction:noneText')} />;
    return (
      <>
        <ol className={css.list} aria-label={t('interaction:title')}>
          {items.map((item) => (
            <Item key={item.id} item={item} {...(may && { onDrop: () => void drop(item.id) })} />
          ))}
        </ol>
        {answer.hasNextPage && (
          <Button loading={answer.isFetchingNextPage} onClick={() => void answer.fetchNextPage()}>
            {t('interaction:older')}
          </Button>
        )}
      </>
    );
  };
  return (
    <div className={css.panel}>
      <InfluencePart record={record} />
      <section className={css.panel}>
        <div className={css.bar}>
          <h2 className={css.heading}>{t('interaction:title')}</h2>
          <span className={css.grow} />
          {may && (
            <Button kind="primary" icon={<IconPlus size={16} />} onClick={() => setRecording(true)}>
              {t('interaction:record')}
            </Button>
          )}
        </div>
        {list()}
      </section>
      {may && (
        <RecordDialog
          customer={record.id}
          opened={recording}
          onClose={() => setRecording(false)}
          onDone={(made) => {
            setRecording(false);
            void refresh();
            toast.ok(t('interaction:recorded'), {
              action: { label: t('common:undo'), run: () => void drop(made.id) },
            });
          }}
        />
      )}
    </div>
  );
}

function Item({ item, onDrop }: { item: CustomerInteraction; onDrop?: () => void }) {
  const { t } = useTranslation('interaction');
  const fmt = useFormat();
  const name = useDeedName();
  const platform = usePlatforms().find((one) => one.value === item.platform)?.label ?? item.platform;
  const facts = [
    platform,
    item.about,
    item.minutes > 0 ? t('interaction:minutesOf', { count: item.minutes }) : '',
    item.rating > 0 ? t('interaction:ratingOf', { rating: item.rating }) : '',
  ].filter((text) => text !== '');
  return (
    <li className={css.row}>
      <div className={css.what}>
        <span className="row">
          <strong>{name(item.name)}</strong>
          {item.by_hand && <Pill>{t('interaction:byHand')}</Pill>}
        </span>
        {facts.length > 0 && <span>{facts.join(' \u00b7 ')}</span>}
        {item.text !== '' && <span className={css.said}>{item.text}</span>}
        <span className={css.quiet}>
          {fmt.datetime(item.at)}
          {item.by !== null && ` \u00b7 ${t('interaction:by', { name: item.by.title })}`}
        </span>
      </div>
      {item.by_hand && onDrop !== undefined && (
        <IconButton
          label={t('interaction:drop', { name: name(item.name) })}
          icon={<IconTrash size={16} />}
          onClick={onDrop}
        />
      )}
    </li>
  );
}
