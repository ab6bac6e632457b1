import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type Classification, classificationsQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { encodeCondition } from '@/records/conditions';
import { Delayed, EmptyState, ErrorState, Page, Panel, Skeleton } from '@/ui';
import { StackBar, Swatch } from '@/ui/chart';
import css from './classifications.module.css';

function Card({ classification }: { classification: Classification }) {
  const { t } = useTranslation('classifications');
  const fmt = useFormat();
  const label = useLabel();
  const name = label(classification.label, classification.key);
  const total = Math.max(
    1,
    classification.classes.reduce((sum, each) => sum + (each.count ?? 0), 0),
  );
  const parts = classification.classes.map((each) => ({
    key: each.key,
    label: label(each.label, each.key),
    color: each.color,
    value: each.count ?? 0,
  }));
  return (
    <article className={css.card}>
      <header className={css.cardHead}>
        <h2>
          <Link to="/classifications/$key" params={{ key: classification.key }} className={css.cardLink}>
            {name}
          </Link>
        </h2>
        <span className="muted">{t('classifications:classCount', { count: classification.classes.length })}</span>
      </header>
      <p className={css.cardText}>{label(classification.description)}</p>
      <StackBar
        height={14}
        parts={parts}
        label={parts.map((part) => `${part.label} ${fmt.percent(part.value / total, 0)}`).join(', ')}
      />
      <ul className={css.legend}>
        {parts.map((part) => (
          <li key={part.key}>
            <Link
              to="/o/$object"
              params={{ object: 'customer' }}
              search={{ where: encodeCondition({ trait: classification.trait, op: '=', value: part.key }) }}
              className={css.legendRow}
            >
              <Swatch color={part.color}>
                <span className="truncate">{part.label}</span>
              </Swatch>
              <span>{fmt.number(part.value)}</span>
            </Link>
          </li>
        ))}
      </ul>
    </article>
  );
}

export function ClassificationsPage() {
  const { t } = useTranslation('classifications');
  const { data, error, isPending, refetch } = useQuery(classificationsQuery());
  return (
    <Page title={t('classifications:title')}>
      {isPending && (
        <Delayed>
          <div className={css.cards} role="status" aria-busy="true">
            {Array.from({ length: 6 }, (_, at) => (
              <Panel key={at}>
                <div className="stack">
                  <Skeleton width={120} height={16} />
                  <Skeleton width="80%" />
                  <Skeleton height={14} />
                  <Skeleton height={90} />
                </div>
              </Panel>
            ))}
          </div>
        </Delayed>
      )}
      {error !== null && data === undefined && <ErrorState error={error} onRetry={() => refetch()} />}
      {data !== undefined && data.items.length === 0 && <EmptyState cause="none" />}
      <div className={css.cards}>
        {data?.items.map((classification) => (
          <Card key={classification.key} classification={classification} />
        ))}
      </div>
    </Page>
  );
}
