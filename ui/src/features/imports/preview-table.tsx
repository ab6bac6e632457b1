import type { ImportRun } from '@/api';
import { useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { Table } from '@/ui';
import css from './imports.module.css';
import { type MappingDraft, targetsOf } from './mapping';
import { useTargetNames } from './target-names';

/** The first rows as they were read, under the fields that they become. Columns that are left out are pale. */
export function PreviewTable({ run, draft }: { run: ImportRun; draft: MappingDraft }) {
  const { t } = useTranslation('imports');
  const names = useTargetNames(run.targets);
  return (
    <div className={css.preview}>
      <Table
        label={t('imports:preview')}
        rows={run.preview.map((cells, at) => ({ cells, at }))}
        rowKey={(row) => String(row.at)}
        empty={<p className={css.none}>{t('imports:noRows')}</p>}
        columns={run.columns.map((column) => {
          const targets = targetsOf(draft, column.name).map((key) => names.get(key) ?? key);
          return {
            key: column.name,
            label: (
              <span className={css.previewHead}>
                <span className={cx(targets.length > 0 && css.previewTarget)}>
                  {targets.length > 0 ? targets.join(' + ') : t('imports:left')}
                </span>
                <span>{column.name}</span>
              </span>
            ),
            cell: (row: { cells: Record<string, string> }) => (
              <span className={cx(css.previewCell, targets.length === 0 && css.pale)}>{row.cells[column.name]}</span>
            ),
          };
        })}
      />
    </div>
  );
}
