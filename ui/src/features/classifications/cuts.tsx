import { useQuery } from '@tanstack/react-query';
import { type ClassCutting, type ClassRule, classCutsQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { Button, Panel, Table } from '@/ui';
import css from './studio.module.css';

interface Props {
  classification: string;
  /** Some class asks how much; one that only asks for what has nothing to cut. */
  numeric: boolean;
  readOnly: boolean;
  onDraft: (classes: readonly ClassRule[]) => void;
}

/** Other cuts for a classification that cuts one number, to take as a draft and see who would move. */
export function Cuts({ classification, numeric, readOnly, onDraft }: Props) {
  const { t } = useTranslation('classifications');
  const fmt = useFormat();
  const label = useLabel();
  // A classification that cuts no number has none: it shows nothing.
  const { data } = useQuery({ ...classCutsQuery(classification), enabled: numeric });
  if (data === undefined || data.suggestions.length === 0) return null;
  const list = (numbers: readonly number[]) => numbers.map((each) => fmt.number(each)).join(' \u00b7 ');
  return (
    <Panel
      flush
      title={t('classifications:cuts.title')}
      aside={<span>{t('classifications:cuts.of', { trait: label(data.label, data.trait) })}</span>}
    >
      <Table<ClassCutting>
        label={t('classifications:cuts.title')}
        rows={data.suggestions}
        rowKey={(one) => one.way}
        columns={[
          {
            key: 'way',
            label: t('classifications:cuts.way'),
            cell: (one) => (
              <span className={css.way}>
                {t(`classifications:cuts.ways.${one.way}`)}
                <span className="muted">{t(`classifications:cuts.means.${one.way}`)}</span>
              </span>
            ),
          },
          {
            key: 'cuts',
            label: t('classifications:cuts.at'),
            align: 'right',
            cell: (one) => one.cuts.map((each) => `\u2265 ${fmt.number(each)}`).join(' \u00b7 '),
          },
          {
            key: 'sizes',
            label: t('classifications:cuts.sizes'),
            align: 'right',
            minor: true,
            cell: (one) => list(one.sizes),
          },
          {
            key: 'explained',
            label: t('classifications:cuts.explained'),
            align: 'right',
            minor: true,
            cell: (one) => (data.from === undefined ? '\u2013' : fmt.percent(one.explained)),
          },
          {
            key: 'do',
            label: '',
            align: 'right',
            cell: (one) =>
              !readOnly && (
                <Button kind="subtle" onClick={() => onDraft(one.classes)}>
                  {t('classifications:cuts.draft')}
                </Button>
              ),
          },
        ]}
      />
      <p className={css.foot}>
        {t('classifications:cuts.now', { cuts: list(data.now.toReversed()) })}
        {data.from !== undefined &&
          ` ${t('classifications:cuts.span', {
            from: fmt.date(data.from),
            to: fmt.date(data.to),
            explained: fmt.percent(data.explained),
          })}`}
      </p>
    </Panel>
  );
}
