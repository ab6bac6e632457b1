import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type Segment, type SegmentDifference, segmentContrastQuery, type TraitType } from '@/api';
import { useFieldContext } from '@/fields';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { traitText } from '@/records/trait-text';
import { Button, EmptyState, ErrorState, Panel, Select, SkeletonRows, Table } from '@/ui';
import css from './compare.module.css';

const EVERYONE = '*';
const FIRST = 12;
/** From where an effect is called small, medium and large (Cohen). */
const STEPS: Record<'mean' | 'share', [number, number, number]> = { mean: [0.2, 0.5, 0.8], share: [0.1, 0.3, 0.5] };

function sizeOf(item: SegmentDifference): 'none' | 'small' | 'medium' | 'large' {
  const [small, medium, large] = STEPS[item.values === undefined ? 'mean' : 'share'];
  const size = Math.abs(item.effect);
  if (size >= large) return 'large';
  if (size >= medium) return 'medium';
  return size >= small ? 'small' : 'none';
}

/** The value whose share differs most. */
const tellingOf = ({ values = [], a, b }: SegmentDifference) =>
  values
    .map((value) => ({ ...value, left: value.a / Math.max(1, a.n), right: value.b / Math.max(1, b.n) }))
    .sort((one, other) => Math.abs(other.left - other.right) - Math.abs(one.left - one.right))[0];

function useRow(names: [string, string]) {
  const { t } = useTranslation('segments');
  const fmt = useFormat();
  const label = useLabel();
  const context = useFieldContext();
  return (item: SegmentDifference) => {
    const known = {
      type: (item.type === 'integer' ? 'decimal' : item.type) as TraitType,
      ...(item.unit && { unit: item.unit }),
    };
    const telling = tellingOf(item);
    const [left, right] =
      telling === undefined
        ? [traitText(item.a.mean, context, known), traitText(item.b.mean, context, known)]
        : [fmt.percent(telling.left, 1), fmt.percent(telling.right, 1)];
    const name = label(item.label);
    const what =
      telling === undefined
        ? name
        : t('segments:contrast.shareOf', {
            name,
            value: telling.key === '' ? t('segments:contrast.others') : label(telling.label),
          });
    const more = telling === undefined ? item.effect > 0 : telling.left > telling.right;
    const size = sizeOf(item);
    const words = item.significant
      ? t(more ? 'segments:contrast.more' : 'segments:contrast.less', {
          a: names[0],
          b: names[1],
          size: t(`segments:contrast.size.${size}`),
        })
      : t('segments:contrast.same');
    return { what, left, right, words };
  };
}

function Differences({ segment, other }: { segment: Segment; other: Segment | null }) {
  const { t } = useTranslation('segments');
  const fmt = useFormat();
  const [all, setAll] = useState(false);
  const { data, error, isPending, refetch } = useQuery(segmentContrastQuery(segment.key, other?.key ?? null));
  const names: [string, string] = [segment.label, other?.label ?? t('segments:contrast.everyone')];
  const row = useRow(names);
  if (isPending) return <SkeletonRows rows={6} />;
  if (data === undefined) return <ErrorState compact error={error} onRetry={() => refetch()} />;
  if (data.items.length === 0)
    return <EmptyState compact cause="none" title={t('segments:contrast.few')} text={t('segments:contrast.fewText')} />;
  const significant = data.items.filter((item) => item.significant).length;
  return (
    <>
      <p className="muted">
        {t('segments:contrast.summary', {
          asked: data.asked,
          count: significant,
          a: fmt.number(data.a),
          b: fmt.number(data.b),
        })}
        {data.both > 0 && ` ${t('segments:contrast.both', { count: data.both, shown: fmt.number(data.both) })}`}
      </p>
      <Table
        label={t('segments:contrast.title')}
        rows={all ? data.items : data.items.slice(0, FIRST)}
        rowKey={(item) => `${item.kind}${item.key}`}
        columns={[
          {
            key: 'what',
            label: t('segments:contrast.what'),
            cell: (item) => (
              <span className={css.what} data-dim={!item.significant || undefined}>
                <span>{row(item).what}</span>
                <span className={css.words}>{row(item).words}</span>
              </span>
            ),
          },
          { key: 'a', label: names[0], align: 'right', cell: (item) => <span className="num">{row(item).left}</span> },
          { key: 'b', label: names[1], align: 'right', cell: (item) => <span className="num">{row(item).right}</span> },
          {
            key: 'p',
            label: t('segments:contrast.p'),
            align: 'right',
            minor: true,
            cell: (item) => (
              <span
                className="num muted"
                title={t('segments:contrast.pHelp', { effect: fmt.number(Math.round(item.effect * 100) / 100) })}
              >
                {item.p_corrected < 0.001 ? '< 0.001' : item.p_corrected.toFixed(3)}
              </span>
            ),
          },
        ]}
      />
      {!all && data.items.length > FIRST && (
        <Button kind="subtle" onClick={() => setAll(true)}>
          {t('segments:contrast.all', { count: data.items.length })}
        </Button>
      )}
    </>
  );
}

/** In what two of the chosen segments differ, or one from everybody else. */
export function ContrastPanel({ segments }: { segments: readonly Segment[] }) {
  const { t } = useTranslation('segments');
  const [chosen, choose] = useState<{ a: string | null; b: string }>({ a: null, b: EVERYONE });
  const a = segments.find(({ key }) => key === chosen.a) ?? segments[0];
  const b = segments.find(({ key }) => key === chosen.b && key !== a?.key) ?? null;
  if (a === undefined) return null;
  const options = segments.map(({ key, label }) => ({ value: key, label }));
  return (
    <Panel title={t('segments:contrast.title')}>
      <div className="stack">
        <div className={css.pair}>
          <Select
            aria-label={t('segments:contrast.first')}
            options={options}
            value={a.key}
            searchable
            onChange={(next) => choose({ ...chosen, a: next })}
          />
          <span className="muted">{t('segments:contrast.with')}</span>
          <Select
            aria-label={t('segments:contrast.second')}
            options={[
              { value: EVERYONE, label: t('segments:contrast.everyone') },
              ...options.filter(({ value }) => value !== a.key),
            ]}
            value={b?.key ?? EVERYONE}
            searchable
            onChange={(next) => choose({ ...chosen, b: next ?? EVERYONE })}
          />
        </div>
        <Differences key={`${a.key} ${b?.key}`} segment={a} other={b} />
      </div>
    </Panel>
  );
}
