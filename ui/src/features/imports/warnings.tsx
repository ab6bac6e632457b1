import { IconInfoCircle } from '@tabler/icons-react';
import type { ImportRun } from '@/api';
import { useTranslation } from '@/i18n';
import { SegmentedControl } from '@/ui';
import css from './imports.module.css';
import type { MappingEditor } from './use-mapping';
import own from './warnings.module.css';

type Warning = ImportRun['warnings'][number];

/** Warnings that ask something which one choice answers. */
const DATES = new Set(['import.ambiguous_dates', 'import.mixed_dates']);
const DECIMALS = 'import.mixed_decimals';
const isQuestion = ({ code }: Warning): boolean => DATES.has(code) || code === DECIMALS;

function DateQuestion({ warning, editor }: { warning: Warning; editor: MappingEditor }) {
  const { t } = useTranslation('imports');
  const mixed = warning.code === 'import.mixed_dates';
  return (
    <div className={own.question}>
      <p>{mixed ? t('imports:ask.datesMixed') : t('imports:ask.datesOpen')}</p>
      <SegmentedControl
        label={t('imports:option.dateOrder')}
        fullWidth
        value={editor.draft.options.date_order ?? ''}
        onChange={(date_order) => editor.setOptions({ date_order })}
        options={(['dmy', 'mdy'] as const).map((value) => ({ value, label: t(`imports:ask.${value}`) }))}
      />
      {editor.draft.options.date_order === undefined && <p className={css.small}>{t('imports:ask.datesElse')}</p>}
    </div>
  );
}

function DecimalQuestion({ editor }: { editor: MappingEditor }) {
  const { t } = useTranslation('imports');
  const comma = editor.draft.options.decimal_comma === true;
  return (
    <div className={own.question}>
      <p>{t('imports:ask.decimals')}</p>
      <SegmentedControl
        label={t('imports:ask.decimalsLabel')}
        fullWidth
        value={comma ? 'comma' : 'point'}
        onChange={(next) => editor.setOptions({ decimal_comma: next === 'comma' })}
        options={(['point', 'comma'] as const).map((value) => ({ value, label: t(`imports:ask.${value}`) }))}
      />
      <p className={css.small}>{t('imports:ask.decimalsElse')}</p>
    </div>
  );
}

/** What the server noticed about the file: questions with their answers, the rest as it says it. */
export function Warnings({ warnings, editor }: { warnings: readonly Warning[]; editor: MappingEditor }) {
  return warnings.map((warning) => (
    <div key={warning.code + warning.message} className={css.problem} data-tone="warn">
      <IconInfoCircle size={15} aria-hidden />
      {isQuestion(warning) && warning.code === DECIMALS && <DecimalQuestion editor={editor} />}
      {isQuestion(warning) && warning.code !== DECIMALS && <DateQuestion warning={warning} editor={editor} />}
      {!isQuestion(warning) && <p>{warning.message}</p>}
    </div>
  ));
}
