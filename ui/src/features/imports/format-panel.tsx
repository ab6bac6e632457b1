import type { ImportFormat, ImportRun } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { Panel, Select, Switch } from '@/ui';
import own from './format-panel.module.css';
import css from './imports.module.css';
import type { MappingEditor } from './use-mapping';

const ENCODINGS = ['utf-8', 'gb18030', 'gbk', 'big5', 'utf-16le', 'utf-16be', 'shift_jis', 'windows-1252'];
const DELIMITERS = [',', ';', '\t', '|'];
const delimiterKey = (delimiter: string): string =>
  ({ ',': 'comma', ';': 'semicolon', '\t': 'tab', tab: 'tab', '\\t': 'tab', '|': 'pipe' })[delimiter] ?? 'other';
const same = (left: string, right: string): boolean => left === right || delimiterKey(left) === delimiterKey(right);

/** What was found out about the file; each part can be set right, and the file is read anew. */
export function FormatPanel({ run, editor }: { run: ImportRun; editor: MappingEditor }) {
  const { t } = useTranslation(['imports', 'importing']);
  const fmt = useFormat();
  const { format } = editor.draft;
  const change = (part: Partial<ImportFormat>) => editor.setFormat(part);
  const faultAt = (part: string) => editor.faults.find((fault) => fault.location === `format.${part}`)?.message;
  const kind = format.kind ?? 'csv';
  const text = kind === 'csv' || kind === 'fixed';
  const encoding = format.encoding ?? 'utf-8';
  const delimiter = format.delimiter ?? ',';
  const encodings = ENCODINGS.includes(encoding) ? ENCODINGS : [encoding, ...ENCODINGS];
  const delimiters = DELIMITERS.some((one) => same(one, delimiter)) ? DELIMITERS : [delimiter, ...DELIMITERS];
  return (
    <Panel
      title={t('imports:format')}
      aside={<span className="num">{editor.rereading ? t('imports:reading') : fmt.bytes(run.size)}</span>}
    >
      <div className={css.format}>
        <div className={css.fact}>
          <span className={css.factLabel}>{t('imports:kind')}</span>
          <span>
            {t(`imports:kindName.${kind}`)}
            {format.gzip && ' (gzip)'}
          </span>
        </div>
        {text && (
          <Select
            label={t('imports:encoding')}
            options={encodings.map((value) => ({ value, label: value.toUpperCase() }))}
            value={encoding}
            error={faultAt('encoding')}
            onChange={(next) => next !== null && next !== encoding && change({ encoding: next })}
          />
        )}
        {kind === 'csv' && (
          <Select
            label={t('imports:delimiter')}
            options={delimiters.map((value) => ({
              value,
              label: delimiterKey(value) === 'other' ? value : t(`imports:delimiterName.${delimiterKey(value)}`),
            }))}
            value={delimiters.find((one) => same(one, delimiter)) ?? delimiter}
            error={faultAt('delimiter')}
            onChange={(next) => next !== null && !same(next, delimiter) && change({ delimiter: next })}
          />
        )}
        {run.sheets.length > 1 && (
          <Select
            label={t('imports:sheet')}
            options={run.sheets.map((value) => ({ value, label: value }))}
            value={
              run.sheets.find((name) => name.toLowerCase() === (format.sheet ?? '').toLowerCase()) ??
              run.sheets[0] ??
              null
            }
            error={faultAt('sheet')}
            onChange={(next) => next !== null && next !== format.sheet && change({ sheet: next })}
          />
        )}
        {run.head.length > 1 && (
          <div className={own.headerRow}>
            <Select
              label={t('importing:headerRow')}
              options={run.head.map(({ row, cells }) => ({
                value: String(row),
                label: t('importing:headerRowIs', { row, cells: cells.filter(Boolean).slice(0, 4).join(' \u00b7 ') }),
              }))}
              value={String(format.header_row ?? run.head[0]?.row ?? 1)}
              error={faultAt('header_row')}
              onChange={(next) => next !== null && change({ header_row: Number(next) })}
            />
          </div>
        )}
        {(kind === 'csv' || kind === 'xlsx') && (
          <div className={cx(css.fact, css.wideFact)}>
            <span className={css.factLabel}>{t('imports:headerLabel')}</span>
            <Switch
              label={t('imports:header')}
              checked={format.header !== false}
              onChange={(header) => change({ header })}
            />
          </div>
        )}
      </div>
    </Panel>
  );
}
