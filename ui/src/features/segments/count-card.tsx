import { IconCode, IconMail, IconPhone } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { type Condition, type SegmentCount, segmentCountQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { copyText } from '@/lib/clipboard';
import { useDebounced } from '@/lib/hooks';
import { encodeCondition } from '@/records/conditions';
import { usePeek } from '@/shell';
import { Avatar, Button, ButtonLink, Progress, Skeleton, toast } from '@/ui';
import { countCall } from './api-call';
import css from './segments.module.css';

interface Props {
  where: Condition | null;
  complete: boolean;
  onError: (error: unknown) => void;
}

function Figures({ count, dim }: { count: SegmentCount; dim: boolean }) {
  const { t } = useTranslation('segments');
  const fmt = useFormat();
  const label = useLabel();
  const share = count.total === 0 ? 0 : count.count / count.total;
  const reach = (part: number) => (count.count === 0 ? fmt.percent(0, 0) : fmt.percent(part / count.count, 0));
  const { open } = usePeek();
  return (
    <div className={css.figures} data-dim={dim || undefined}>
      <div className={css.big}>{fmt.number(count.count)}</div>
      <div className="muted">{t('segments:shareOfAll', { share: fmt.percent(share, share < 0.01 ? 2 : 1) })}</div>
      <Progress value={share} label={t('segments:shareLabel')} />
      <p className={css.sentence}>{label(count.sentence)}</p>
      <h3 className={css.sub}>{t('segments:samples')}</h3>
      {count.sample.length === 0 && <p className="muted">{t('segments:nobody')}</p>}
      <ul className={css.samples}>
        {count.sample.map((person) => (
          <li key={person.id}>
            <button type="button" className={css.sample} onClick={() => open({ object: 'customer', id: person.id })}>
              <Avatar name={person.title} size={22} shape="round" />
              <span className="truncate grow">{person.title}</span>
              <span className={css.sampleNote}>{person.subtitle}</span>
            </button>
          </li>
        ))}
      </ul>
      <h3 className={css.sub}>{t('segments:reach')}</h3>
      <dl className={css.reach}>
        <div>
          <dt>
            <IconPhone size={14} stroke={1.6} aria-hidden />
            {t('segments:phone')}
          </dt>
          <dd>
            {fmt.number(count.reach.phone)} <span className="muted">{reach(count.reach.phone)}</span>
          </dd>
        </div>
        <div>
          <dt>
            <IconMail size={14} stroke={1.6} aria-hidden />
            {t('segments:email')}
          </dt>
          <dd>
            {fmt.number(count.reach.email)} <span className="muted">{reach(count.reach.email)}</span>
          </dd>
        </div>
      </dl>
      <p className={css.took}>
        {count.lag_seconds < 1
          ? t('segments:tookNow', { took: fmt.duration(count.seconds) })
          : t('segments:took', { took: fmt.duration(count.seconds), lag: fmt.duration(count.lag_seconds) })}
        {typeof count.plan === 'string' && count.plan !== '' && (
          <>
            {' \u00b7 '}
            {t('segments:plan', { plan: count.plan })}
          </>
        )}
      </p>
    </div>
  );
}

/** How many fulfil the condition as it stands: asked 250 ms after the last change, the old answer dimmed meanwhile. */
export function CountCard({ where, complete, onError }: Props) {
  const { t } = useTranslation('segments');
  const [asked, setAsked] = useState(where);
  // Both settle together: an old condition must not be asked because the new one has just become complete.
  const settled = useDebounced(useMemo(() => ({ where, complete }), [where, complete]));
  useEffect(() => {
    if (settled.complete) setAsked(settled.where);
  }, [settled]);
  const { data, error, isFetching, isPlaceholderData } = useQuery(segmentCountQuery(asked));
  useEffect(() => onError(error), [error, onError]);
  const waiting = where !== asked || isPlaceholderData || isFetching;
  const copy = async () => {
    if (where === null) return;
    if (await copyText(countCall(where, location.origin))) toast.ok(t('segments:copied'));
    else toast.error(t('segments:copyFailed'));
  };
  const shown = where === null ? undefined : data;
  return (
    <aside className={css.card} aria-label={t('segments:estimate')}>
      <h2 className={css.cardTitle}>{t('segments:estimate')}</h2>
      <div aria-live="polite" aria-busy={waiting}>
        {where === null && <p className="muted">{t('segments:noCondition')}</p>}
        {where !== null && !complete && (
          <p className={css.hint}>{t(shown === undefined ? 'segments:incompleteFirst' : 'segments:incomplete')}</p>
        )}
        {error !== null && !isPlaceholderData && <p className={css.fault}>{error.message}</p>}
        {shown !== undefined && <Figures count={shown} dim={waiting || error !== null} />}
        {where !== null && shown === undefined && error === null && (complete || isFetching) && (
          <div className="stack">
            <Skeleton width={120} height={32} />
            <Skeleton height={6} />
            <Skeleton width="80%" />
            <Skeleton width="60%" />
          </div>
        )}
      </div>
      <div className={css.cardActions}>
        {where !== null && (
          <ButtonLink to="/o/$object" params={{ object: 'customer' }} search={{ where: encodeCondition(where) }}>
            {t('segments:openList')}
          </ButtonLink>
        )}
        <Button kind="subtle" icon={<IconCode size={15} />} disabled={where === null} onClick={copy}>
          {t('segments:copyApi')}
        </Button>
      </div>
    </aside>
  );
}
