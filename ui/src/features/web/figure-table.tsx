import { IconDownload } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { useFormat, useTranslation } from '@/i18n';
import { type CsvCell, saveCsv } from '@/lib/csv';
import { EmptyState, IconButton, Panel, Table, toast } from '@/ui';
import { Barred } from '@/ui/figures';
import { type Term, Terms } from './terms';
import css from './web.module.css';

export interface FigureColumn<T> {
  key: string;
  label: string;
  /** The definition that stands below the table. */
  term?: Term;
  /** For the file. */
  raw: (row: T) => CsvCell;
  cell: (row: T) => ReactNode;
  minor?: boolean;
}
interface Props<T> {
  title: string;
  /** What the first column shows. */
  nameLabel: string;
  name: (row: T) => string;
  nameCell?: (row: T) => ReactNode;
  rows: readonly T[];
  rowKey: (row: T) => string;
  /** The figure that the bars and the shares go by. */
  bar: (row: T) => number;
  columns: readonly FigureColumn<T>[];
  more: boolean;
  /** Every row, for the file. */
  all: () => Promise<readonly T[]>;
  file: string;
  aside?: ReactNode;
}

/** A table of figures with bars, its definitions below and itself as a file. */
export function FigureTable<T>(props: Props<T>) {
  const { t } = useTranslation('web');
  const fmt = useFormat();
  const [busy, setBusy] = useState(false);
  const { rows, columns } = props;
  const most = Math.max(1, ...rows.map(props.bar));
  const download = async () => {
    setBusy(true);
    try {
      const all = await props.all();
      saveCsv(
        props.file,
        [props.nameLabel, ...columns.map((column) => column.label)],
        all.map((row) => [props.name(row), ...columns.map((column) => column.raw(row))]),
      );
    } catch {
      toast.error(t('web:fileFailed'));
    } finally {
      setBusy(false);
    }
  };
  const terms = columns.flatMap((column) => (column.term === undefined ? [] : [column.term]));
  return (
    <Panel
      flush
      title={props.title}
      aside={
        <>
          {props.aside}
          <IconButton
            label={t('web:csv')}
            icon={<IconDownload size={16} />}
            onClick={download}
            loading={busy}
            disabled={rows.length === 0}
          />
        </>
      }
    >
      {rows.length === 0 ? (
        <EmptyState compact cause="no_match" title={t('web:nothing')} text={t('web:nothingText')} />
      ) : (
        <Table
          label={props.title}
          rows={rows}
          rowKey={props.rowKey}
          columns={[
            {
              key: 'name',
              label: props.nameLabel,
              cell: (row) => (
                <Barred share={props.bar(row) / most}>
                  {props.nameCell === undefined ? (
                    <span className="truncate" title={props.name(row)}>
                      {props.name(row)}
                    </span>
                  ) : (
                    props.nameCell(row)
                  )}
                </Barred>
              ),
            },
            ...columns.map((column) => ({
              key: column.key,
              label:
                column.term === undefined ? (
                  column.label
                ) : (
                  <span className={css.term} title={t(`web:means.${column.term}`)}>
                    {column.label}
                  </span>
                ),
              align: 'right' as const,
              minor: column.minor === true,
              cell: column.cell,
            })),
          ]}
        />
      )}
      {props.more && <p className={css.foot}>{t('web:more', { shown: fmt.number(rows.length) })}</p>}
      {rows.length > 0 && terms.length > 0 && <Terms of={terms} />}
    </Panel>
  );
}

/** A figure that opens the people behind it. */
export function Behind({ children, onOpen, label }: { children: ReactNode; onOpen: () => void; label: string }) {
  return (
    <button type="button" className={css.figure} onClick={onOpen} title={label}>
      {children}
    </button>
  );
}
