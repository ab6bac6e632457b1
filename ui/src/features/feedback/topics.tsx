import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { figuresQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { encodeCondition } from '@/records/conditions';
import { Button, ErrorState, Panel, SkeletonRows, Table } from '@/ui';
import { Barred } from '@/ui/figures';
import type { Ask } from './ask';
import css from './feedback.module.css';
import { type Topic, topicMeasures, topicsOf } from './figures';
import { Voices } from './voices';
import { useFeedbackNames } from './words';

/** What customers speak of and what they complain of, against the span before, with what they said. */
export function Topics({ ask, total }: { ask: Ask; total: number }) {
  const { t } = useTranslation('feedback');
  const fmt = useFormat();
  const { keys, name } = useFeedbackNames();
  const topics = keys('topics');
  const measures = topicMeasures(topics);
  const answer = useQuery(figuresQuery('feedback', { where: ask.where(), measures }));
  const earlier = useQuery(figuresQuery('feedback', { where: ask.earlier(), measures }));
  if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} />;
  if (answer.data === undefined) return <SkeletonRows rows={6} />;
  const rows = topicsOf(topics, answer.data.total.measures)
    .filter((topic) => topic.mentions > 0)
    .sort((left, right) => right.complaints - left.complaints || right.mentions - left.mentions);
  const before = new Map(
    earlier.data === undefined
      ? []
      : topicsOf(topics, earlier.data.total.measures).map((topic) => [topic.key, topic.complaints]),
  );
  const most = Math.max(1, ...rows.map((topic) => topic.mentions));
  const listed = (field: 'topics' | 'complaints', topic: Topic) => (
    <Link
      to="/o/$object"
      params={{ object: 'feedback' }}
      search={{ where: encodeCondition(ask.where({ field, op: 'contains', value: topic.key })) }}
    >
      {fmt.number(field === 'topics' ? topic.mentions : topic.complaints)}
    </Link>
  );
  const difference = (topic: Topic) => {
    const change = topic.complaints - (before.get(topic.key) ?? 0);
    if (change === 0) return <span className="muted">0</span>;
    return (
      <span className={css.tone} data-tone={change > 0 ? 'bad' : 'good'}>
        {change > 0 && '+'}
        {fmt.number(change)}
      </span>
    );
  };
  const open = rows.find((topic) => topic.key === ask.raw.topic);
  return (
    <>
      <Panel flush title={t('feedback:topics.title')}>
        <Table
          label={t('feedback:topics.title')}
          rows={rows}
          rowKey={(topic) => topic.key}
          empty={<p className={css.foot}>{t('feedback:topics.none')}</p>}
          columns={[
            {
              key: 'topic',
              label: t('feedback:topics.topic'),
              cell: (topic) => (
                <Barred share={topic.mentions / most}>
                  <span>{name('topics', topic.key)}</span>
                </Barred>
              ),
            },
            {
              key: 'mentions',
              label: t('feedback:topics.mentions'),
              align: 'right',
              cell: (topic) => listed('topics', topic),
            },
            {
              key: 'share',
              label: t('feedback:topics.share'),
              align: 'right',
              minor: true,
              cell: (topic) => fmt.percent(topic.mentions / Math.max(1, total), 1),
            },
            {
              key: 'complaints',
              label: t('feedback:topics.complaints'),
              align: 'right',
              cell: (topic) => listed('complaints', topic),
            },
            {
              key: 'rate',
              label: t('feedback:topics.rate'),
              align: 'right',
              minor: true,
              cell: (topic) => fmt.percent(topic.complaints / topic.mentions, 1),
            },
            { key: 'change', label: t('feedback:topics.change'), align: 'right', minor: true, cell: difference },
            {
              key: 'said',
              label: '',
              align: 'right',
              cell: (topic) => (
                <Button
                  kind="subtle"
                  aria-expanded={open?.key === topic.key}
                  onClick={() => ask.go({ topic: open?.key === topic.key ? undefined : topic.key })}
                >
                  {t('feedback:topics.said')}
                </Button>
              ),
            },
          ]}
        />
        <p className={css.foot}>{t('feedback:topics.means')}</p>
      </Panel>
      {open !== undefined && <Voices ask={ask} topic={open} />}
    </>
  );
}
