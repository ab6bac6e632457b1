import { IconArrowLeft, IconArrowRight } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type Segment, type SegmentMove, segmentMovesQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { usePeek } from '@/shell';
import { Button, ErrorState, Panel, Skeleton } from '@/ui';
import parts from './parts.module.css';
import css from './segments.module.css';

const FIRST = 6;

function Move({ move }: { move: SegmentMove }) {
  const { t } = useTranslation('segments');
  const fmt = useFormat();
  const label = useLabel();
  const { open } = usePeek();
  const why = label(move.why);
  const Sign = move.entered ? IconArrowRight : IconArrowLeft;
  const reason = move.entered ? 'segments:nowTrue' : 'segments:nowFalse';
  return (
    <li>
      <button type="button" className={css.sample} onClick={() => open({ object: 'customer', id: move.customer.id })}>
        <Sign size={15} stroke={1.6} aria-hidden />
        <span className={parts.moveText}>
          <span className="truncate">
            {move.customer.title}{' '}
            <span className="muted">{t(move.entered ? 'segments:entered' : 'segments:left')}</span>
          </span>
          <span className={parts.moveWhy}>{why === '' ? t(`segments:cause.${move.cause}`) : t(reason, { why })}</span>
        </span>
        <time className={parts.moveTime} dateTime={move.at} title={fmt.datetime(move.at)}>
          {fmt.relative(move.at)}
        </time>
      </button>
    </li>
  );
}

/** Who came and went last, and why. */
export function Moves({ segment }: { segment: Segment }) {
  const { t } = useTranslation('segments');
  const [all, setAll] = useState(false);
  const { data, error, isPending, refetch } = useQuery(segmentMovesQuery(segment.key));
  const moves = data?.items ?? [];
  return (
    <Panel title={t('segments:comings')}>
      {isPending && <Skeleton height={96} />}
      {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
      {data !== undefined && moves.length === 0 && <p className="muted">{t('segments:noComings')}</p>}
      <ul className={css.samples}>
        {moves.slice(0, all ? moves.length : FIRST).map((move) => (
          <Move key={`${move.customer.id}${move.at}`} move={move} />
        ))}
      </ul>
      {!all && moves.length > FIRST && (
        <Button kind="subtle" onClick={() => setAll(true)}>
          {t('segments:allComings', { count: moves.length })}
        </Button>
      )}
    </Panel>
  );
}
