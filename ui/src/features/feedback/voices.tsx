import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { recordPageQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { groupKey } from '@/records/figures';
import { EmptyState, ErrorState, Panel, Pill, SkeletonRows } from '@/ui';
import type { Ask } from './ask';
import css from './feedback.module.css';
import type { Topic } from './figures';
import { useFeedbackNames } from './words';

const SHOWN = 6;

/** The newest texts about a topic, complaints where there are some. Each opens, where a person can correct how it was read. */
export function Voices({ ask, topic }: { ask: Ask; topic: Topic }) {
  const { t } = useTranslation('feedback');
  const fmt = useFormat();
  const { name, color } = useFeedbackNames();
  const field = topic.complaints > 0 ? 'complaints' : 'topics';
  const answer = useQuery(
    recordPageQuery('feedback', {
      where: ask.where({ field, op: 'contains', value: topic.key }),
      sort: [{ field: 'said_at', desc: true }],
      fields: ['body', 'sentiment', 'channel', 'said_at', 'customer', 'chance', 'corrected', 'rating'],
      limit: SHOWN,
    }),
  );
  return (
    <Panel title={t(`feedback:voices.${field}`, { topic: name('topics', topic.key) })}>
      {answer.isError && <ErrorState compact error={answer.error} onRetry={() => answer.refetch()} />}
      {answer.isPending && <SkeletonRows rows={SHOWN} />}
      {answer.data?.items.length === 0 && <EmptyState compact cause="no_match" />}
      <ul className={css.voices}>
        {answer.data?.items.map((record) => {
          const feeling = groupKey(record.fields.sentiment) || 'neutral';
          const customer = record.fields.customer as { id: string; title: string } | null | undefined;
          const unsure = feeling === 'neutral' && record.fields.corrected !== true && record.fields.rating === null;
          return (
            <li key={record.id} className={css.voice}>
              <Link className={css.text} to="/o/$object/$id" params={{ object: 'feedback', id: record.id }}>
                {String(record.fields.body ?? record.title)}
              </Link>
              <span className={css.quiet}>
                <Pill color={color('sentiment', feeling)}>{name('sentiment', feeling)}</Pill>
                {[
                  name('channel', groupKey(record.fields.channel)),
                  fmt.datetime(String(record.fields.said_at ?? '')),
                  unsure && t('feedback:voices.unsure'),
                  record.fields.corrected === true && t('feedback:voices.corrected'),
                ]
                  .filter(Boolean)
                  .join(' \u00b7 ')}
                {customer != null && (
                  <Link to="/o/$object/$id" params={{ object: 'customer', id: customer.id }}>
                    {customer.title}
                  </Link>
                )}
              </span>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
