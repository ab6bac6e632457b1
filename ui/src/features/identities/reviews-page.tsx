import { IconAdjustments } from '@tabler/icons-react';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import {
  decideIdentityReview,
  errorText,
  type IdentityReview,
  type IdentityState,
  identityReviewsQuery,
  mergeIdentityReview,
} from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { useShortcuts } from '@/shell';
import {
  Button,
  ButtonLink,
  Closed,
  confirm,
  EmptyState,
  ErrorState,
  Kbd,
  Page,
  SegmentedControl,
  SkeletonRows,
  toast,
} from '@/ui';
import css from './identities.module.css';
import { ReviewCard } from './review-card';

const PAGE = 20;
const KEYS = ['j', 'k', 'm', 'n', 'l'] as const;
const STATES = ['open', 'later', 'not_same', 'joined'] as const;

/** Profiles that may be the same person: one decides by mouse or by keyboard. */
export function IdentityReviewsPage() {
  const can = useCan();
  if (!can('record.merge')) return <Closed cause="no_permission" />;
  return <Reviews />;
}

function Reviews() {
  const { t } = useTranslation(['identities', 'common']);
  const can = useCan();
  const client = useQueryClient();
  const [state, setState] = useState<IdentityState>('open');
  const [offset, setOffset] = useState(0);
  const [at, setAt] = useState(0);
  const [busy, setBusy] = useState(false);
  const list = useRef<HTMLDivElement>(null);
  const answer = useQuery({ ...identityReviewsQuery(state, offset), placeholderData: keepPreviousData });
  const items = answer.data?.items ?? [];
  const total = answer.data?.total ?? 0;
  const current = Math.min(at, Math.max(items.length - 1, 0));

  const guarded = async (work: () => Promise<unknown>, done: string) => {
    setBusy(true);
    try {
      await work();
      toast.ok(done);
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    } finally {
      setBusy(false);
      await client.invalidateQueries({ queryKey: ['identities'] });
    }
  };
  const decide = (review: IdentityReview, to: 'not_same' | 'later' | 'open') =>
    guarded(() => decideIdentityReview(review.id, to), t(`identities:decided.${to}`));
  const merge = async (review: IdentityReview, customer: string | undefined) => {
    const customers = review.sides.flatMap((side) => (side.customer === null ? [] : [side.customer]));
    const merging = new Set(customers.map((one) => one.id)).size > 1 && review.kind === 'profiles';
    const yes = await confirm({
      title: t(merging ? 'identities:mergeTitle' : 'identities:joinTitle'),
      text: t(merging ? 'identities:mergeText' : 'identities:joinText', { name: customers[0]?.title ?? '' }),
      confirm: t('identities:same'),
    });
    if (!yes) return;
    const survivor = customers[0]?.id;
    await guarded(async () => {
      await mergeIdentityReview(review.id, {
        ...(merging && survivor !== undefined && { survivor }),
        ...(customer !== undefined && { customer }),
      });
      await client.invalidateQueries({ queryKey: ['records'] });
      await client.invalidateQueries({ queryKey: ['customers'] });
    }, t('identities:decided.joined'));
  };

  useEffect(() => {
    list.current?.children[current]?.scrollIntoView({ block: 'nearest' });
  }, [current]);
  const review = items[current];
  const asked = (state === 'open' || state === 'later') && !busy && review !== undefined;
  const keys: [key: (typeof KEYS)[number], run: () => void][] = [
    ['j', () => setAt(Math.min(current + 1, Math.max(items.length - 1, 0)))],
    ['k', () => setAt(Math.max(current - 1, 0))],
    ['m', () => void (asked && review.kind === 'profiles' && merge(review, undefined))],
    ['n', () => void (asked && decide(review, 'not_same'))],
    ['l', () => void (asked && decide(review, state === 'later' ? 'open' : 'later'))],
  ];
  useShortcuts(
    keys.map(([key, run]) => ({ keys: key, label: t(`identities:key.${key}`), group: t('identities:reviews'), run })),
  );

  const body = () => {
    if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} />;
    if (answer.data === undefined) return <SkeletonRows rows={8} />;
    if (items.length === 0)
      return <EmptyState cause="none" title={t('identities:reviewsNone')} text={t('identities:reviewsNoneText')} />;
    return (
      <>
        <div ref={list} className={css.list}>
          {items.map((review, index) => (
            <ReviewCard
              key={review.id}
              review={review}
              current={index === current}
              busy={busy}
              onFocus={() => setAt(index)}
              onMerge={(customer) => void merge(review, customer)}
              onDecide={(to) => void decide(review, to)}
            />
          ))}
        </div>
        <div className={css.pages}>
          <span className="muted">{t('identities:total', { count: total })}</span>
          <Button disabled={offset === 0} onClick={() => setOffset(Math.max(0, offset - PAGE))}>
            {t('identities:less')}
          </Button>
          <Button disabled={offset + PAGE >= total} onClick={() => setOffset(offset + PAGE)}>
            {t('identities:more')}
          </Button>
        </div>
      </>
    );
  };
  return (
    <Page
      title={t('identities:reviews')}
      actions={
        can('duplicate.manage') && (
          <ButtonLink to="/settings/identity" icon={<IconAdjustments size={15} />}>
            {t('identities:settings')}
          </ButtonLink>
        )
      }
    >
      <div className={css.page}>
        <div className={css.bar}>
          <SegmentedControl
            label={t('identities:reviews')}
            value={state}
            onChange={(next) => {
              setState(next);
              setOffset(0);
              setAt(0);
            }}
            options={STATES.map((value) => ({ value, label: t(`identities:state.${value}`) }))}
          />
          <span className={css.keys}>
            {KEYS.map((key) => (
              <span key={key} className={css.key}>
                <Kbd keys={key} /> {t(`identities:key.${key}`)}
              </span>
            ))}
          </span>
        </div>
        {body()}
      </div>
    </Page>
  );
}
