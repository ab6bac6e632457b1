import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type Ref, type TraitFigure, type TraitPreview, traitPreviewQuery } from '@/api';
import { isMoney, RecordSelect } from '@/fields';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useDebounced } from '@/lib/hooks';
import { Panel, Progress, SkeletonRows } from '@/ui';
import css from './traits.module.css';

/** A value of a trait as text, by what it looks like: the answer says it in the form of the API. */
export function useTraitText() {
  const { t } = useTranslation('traits');
  const fmt = useFormat();
  const label = useLabel();
  return (value: unknown, type: TraitPreview['type']): string => {
    if (value === null || value === undefined) return t('traits:preview.noValue');
    if (Array.isArray(value)) return value.join(t('traits:preview.comma'));
    if (isMoney(value)) return fmt.money(value);
    if (typeof value === 'number') return fmt.number(value);
    if (typeof value === 'object' && 'label' in value) return label(value.label as never);
    if (type === 'datetime' && typeof value === 'string') return fmt.datetime(value);
    return String(value);
  };
}

function Sampled({ preview }: { preview: TraitPreview }) {
  const { t } = useTranslation('traits');
  const fmt = useFormat();
  const text = useTraitText();
  const share = preview.sampled === 0 ? 0 : preview.having / preview.sampled;
  return (
    <>
      <h3 className={css.sub}>{t('traits:preview.sample', { count: preview.sampled })}</h3>
      <p>{t('traits:preview.having', { count: preview.having, share: fmt.percent(share, 0) })}</p>
      <Progress
        value={share}
        label={t('traits:preview.having', { count: preview.having, share: fmt.percent(share, 0) })}
      />
      {preview.low !== null && (
        <dl className={css.facts}>
          {(['low', 'middle', 'high'] as const).map((side) => (
            <div key={side}>
              <dt className="muted">{t(`traits:preview.${side}`)}</dt>
              <dd>{text(preview[side], preview.type)}</dd>
            </div>
          ))}
        </dl>
      )}
      {preview.common.length > 0 && (
        <ul className={css.common}>
          {preview.common.map((item) => (
            <li key={text(item.text, preview.type)}>
              <span className="truncate">{text(item.text, preview.type)}</span>
              <span className="muted">{fmt.number(item.count)}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function OfCustomer({ preview }: { preview: TraitPreview }) {
  const { t } = useTranslation('traits');
  const fmt = useFormat();
  const text = useTraitText();
  return (
    <>
      <div className={css.big}>{text(preview.value, preview.type)}</div>
      <h3 className={css.sub}>{t('traits:preview.rows')}</h3>
      {preview.rows.length === 0 && <p className="muted">{t('traits:preview.noRows')}</p>}
      <ul className={css.common}>
        {preview.rows.map((row, at) => (
          <li key={at}>
            <span className="truncate">{row.title}</span>
            {row.value !== null && row.value !== undefined && <span>{text(row.value, preview.type)}</span>}
            <span className="muted">{row.at.length > 10 ? fmt.datetime(row.at) : row.at}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

/** What a definition gives while it is being written: how its values lie, and one customer with what counted. */
export function PreviewPanel({ figure, complete }: { figure: TraitFigure; complete: boolean }) {
  const { t } = useTranslation('traits');
  const label = useLabel();
  const [customer, setCustomer] = useState<Ref | null>(null);
  const settled = useDebounced(figure, 300);
  const { data, error, isFetching } = useQuery({
    ...traitPreviewQuery(settled, customer?.id ?? ''),
    enabled: complete && settled === figure,
  });
  return (
    <Panel title={t('traits:preview.title')}>
      <div aria-live="polite" aria-busy={isFetching} className="stack">
        {!complete && <p className="muted">{t('traits:preview.incomplete')}</p>}
        {complete && error !== null && <p className={css.fault}>{error.message}</p>}
        {complete && error === null && data === undefined && <SkeletonRows rows={4} />}
        {complete && error === null && data !== undefined && (
          <>
            <p className={css.sentence}>{label(data.sentence)}</p>
            <Sampled preview={data} />
          </>
        )}
        <RecordSelect label={t('traits:preview.customer')} object="customer" value={customer} onChange={setCustomer} />
        {complete && error === null && data !== undefined && customer !== null && <OfCustomer preview={data} />}
      </div>
    </Panel>
  );
}
