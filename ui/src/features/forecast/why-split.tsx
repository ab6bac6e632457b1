import { Link } from '@tanstack/react-router';
import type { Why, WhyPart, WhySplit } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { encodeCondition } from '@/records/conditions';
import { Table, type TableColumn } from '@/ui';
import { onDays, shareOf, useFigure } from './figures';
import css from './forecast.module.css';

const rowKey = (part: WhyPart) => `${part.kind}|${part.keys.join('|')}`;

/** A change told by the values of a dimension, or of two; the rows add up to it. */
export function SplitTable({ data, split }: { data: Why; split: WhySplit }) {
  const { t } = useTranslation('forecast');
  const fmt = useFormat();
  const { text, signed } = useFigure(data.currency);
  const most = Math.max(1e-9, ...split.parts.map((part) => Math.abs(part.change)));
  const name = (part: WhyPart) => {
    if (part.kind === 'other') return t('forecast:why.otherValues', { count: part.values });
    if (part.kind === 'rest') return t(data.figure === 'customers' ? 'forecast:why.overlap' : 'forecast:why.rest');
    return part.titles.map((title) => title || t('forecast:nothing')).join(' \u00d7 ');
  };
  const amount = (key: 'before' | 'now'): TableColumn<WhyPart> => ({
    key,
    label: t(`forecast:why.${key}`),
    align: 'right',
    minor: key === 'before',
    cell: (part) =>
      part.kind === 'value' && part.behind !== null && part[key] !== 0 ? (
        <Link
          to="/o/$object"
          params={{ object: part.behind.object }}
          search={{
            where: encodeCondition(
              key === 'now'
                ? onDays(part.behind, data.from, data.to)
                : onDays(part.behind, data.before_from, data.before_to),
            ),
          }}
          aria-label={t('forecast:why.list', { name: name(part), value: text(part[key]) })}
        >
          {text(part[key])}
        </Link>
      ) : (
        part.kind !== 'rest' && text(part[key])
      ),
  });
  const addend = (key: 'mix' | 'rate'): TableColumn<WhyPart> => ({
    key,
    label: t(`forecast:why.${key}`),
    align: 'right',
    minor: true,
    cell: (part) => (part.kind === 'rest' ? '' : signed(part[key])),
  });
  return (
    <>
      <div className={css.tall}>
        <Table
          label={split.dimensions.map((one) => t(`forecast:dimension.${one}`)).join(' \u00d7 ')}
          rows={split.parts}
          rowKey={rowKey}
          columns={[
            {
              key: 'name',
              label: split.dimensions.map((one) => t(`forecast:dimension.${one}`)).join(' \u00d7 '),
              cell: (part) => (
                <span className={css.named}>
                  <span className="truncate">{name(part)}</span>
                  <span className={css.track} aria-hidden>
                    <span
                      data-down={part.change < 0 || undefined}
                      style={{ insetInlineStart: 0, width: `${(Math.abs(part.change) / most) * 100}%` }}
                    />
                  </span>
                </span>
              ),
            },
            amount('before'),
            amount('now'),
            {
              key: 'change',
              label: t('forecast:why.change'),
              align: 'right',
              cell: (part) => <span className={part.change < 0 ? css.down : css.up}>{signed(part.change)}</span>,
            },
            {
              key: 'share',
              label: t('forecast:why.share'),
              align: 'right',
              minor: true,
              cell: (part) => {
                const share = shareOf(part.now, part.before);
                return part.kind === 'rest' || share === null
                  ? ''
                  : `${share > 0 ? '+' : ''}${fmt.percent(Math.round(share * 100) / 100 + 0, 0)}`;
              },
            },
            ...(split.mixed ? [addend('mix'), addend('rate')] : []),
          ]}
        />
      </div>
      {split.mixed && (
        <p className={css.foot}>
          {t(data.figure === 'basket' ? 'forecast:why.mixBasket' : 'forecast:why.mixLine', {
            volume: signed(split.volume),
            mix: signed(split.mix),
            rate: signed(split.rate),
            weight: t(`forecast:figure.${split.weight}`),
          })}
        </p>
      )}
    </>
  );
}
