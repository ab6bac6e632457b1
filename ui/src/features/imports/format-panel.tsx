import { useState } from 'react';
import type { ImportFormat, ImportRun } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { Panel, Select, Switch, TextInput } from '@/ui';
import css from './imports.module.css';
import type { MappingEditor } from './use-mapping';

const ENCODINGS = ['utf-8', 'gb18030', 'gbk', 'big5', 'utf-16le', 'utf-16be', 'shift_jis', 'windows-1252'];
const DELIMITERS = [',', ';', '\t', '|'];
const delimiterKey = (delimiter: string): string =>
  ({ ',': 'comma', ';': 'semicolon', '\t': 'tab', tab: 'tab', '\\t': 'tab', '|': 'pipe' })[delimiter] ?? 'other';
const same = (left: string, right: string): boolean => left === right || delimiterKey(left) === delimiterKey(right);

/** The name of a sheet is asked for once it is written. */
function Sheet({ name, error, onName }: { name: string; error: string | undefined; onName: (name: string) => void }) {
  const { t } = useTranslation('imports');
  const [text, setText] = useState(name);
  const commit = () => text.trim() !== '' && text.trim() !== name && onName(text.trim());
  return (
    <TextInput
      label={t('imports:sheet')}
      value={text}
      placeholder={t('imports:firstSheet')}
      error={error}
      onChange={setText}
      onBlur={commit}
      onEnter={commit}
    />
  );
}

/** What was found out about the file; each part can be set right, and the file is read anew. */
export function FormatPanel({ run, editor }: { run: ImportRun; editor: MappingEditor }) {
  const { t } = useTranslation('imports');
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
        {kind === 'xlsx' && (
          <Sheet
            key={format.sheet ?? ''}
            name={format.sheet ?? ''}
            error={faultAt('sheet')}
            onName={(sheet) => change({ sheet })}
          />
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
