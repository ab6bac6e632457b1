import { IconUpload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { type ImportRun, rejectedQuery, useRetryImport } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { Button, ErrorState, SkeletonRows, toast } from '@/ui';
import { csvOf, retryName } from './csv';
import own from './retry-panel.module.css';

/** Rows that could not be imported, to be corrected here or in a file, and imported again with the same mapping. */
export function RetryPanel({ run }: { run: ImportRun }) {
  const { t } = useTranslation(['importing', 'common']);
  const fmt = useFormat();
  const navigate = useNavigate();
  const input = useRef<HTMLInputElement>(null);
  const retry = useRetryImport();
  const { data, error, refetch } = useQuery(rejectedQuery(run.id));
  const [edits, setEdits] = useState<Record<string, string>>({});
  const [left, setLeft] = useState<ReadonlySet<number>>(new Set());
  const send = async (file: File) => {
    try {
      const next = await retry.mutateAsync({ id: run.id, file, start: true });
      navigate({ to: '/imports/$id', params: { id: next.id } });
    } catch (problem) {
      toast.error(t('importing:retryFailed'), { detail: (problem as Error).message });
    }
  };
  if (error !== null) return <ErrorState error={error} onRetry={() => refetch()} />;
  if (data === undefined) return <SkeletonRows rows={4} />;
  const value = (row: number, at: number, cell: string) => edits[`${row}:${at}`] ?? cell;
  const rows = data.rows.filter(({ row }) => !left.has(row));
  const submit = () => {
    const cells = rows.map((each) => data.columns.map((_, at) => value(each.row, at, each.cells[at] ?? '')));
    return send(new File([csvOf([data.columns, ...cells])], retryName(run.file_name), { type: 'text/csv' }));
  };
  const toggle = (row: number) => {
    const next = new Set(left);
    if (!next.delete(row)) next.add(row);
    setLeft(next);
  };
  return (
    <div className="stack">
      <p className="muted">
        {data.more ? t('importing:retryMore', { count: data.rows.length }) : t('importing:retryHelp')}
      </p>
      {data.rows.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls sideways must be reachable by keyboard
        <section className={own.wrap} aria-label={t('importing:retryTable')} tabIndex={0}>
          <table className={own.table}>
            <thead>
              <tr>
                <th scope="col">{t('importing:take')}</th>
                <th scope="col">{t('importing:row')}</th>
                <th scope="col">{t('importing:reason')}</th>
                {data.columns.map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {data.rows.map(({ row, cells, errors }) => {
                const bad = new Set(errors.map(({ column }) => column));
                return (
                  <tr key={row} data-left={left.has(row) || undefined}>
                    <td data-label={t('importing:take')}>
                      <input
                        type="checkbox"
                        aria-label={t('importing:takeRow', { row })}
                        checked={!left.has(row)}
                        onChange={() => toggle(row)}
                      />
                    </td>
                    <td className="num" data-label={t('importing:row')}>
                      {fmt.number(row)}
                    </td>
                    <td className={own.why}>{errors.map(({ message }) => message).join(' ')}</td>
                    {data.columns.map((name, at) => (
                      <td key={name} data-label={name}>
                        <input
                          className={cx(own.cell, bad.has(name) && own.bad)}
                          aria-label={t('importing:cellOf', { row, name })}
                          aria-invalid={bad.has(name) || undefined}
                          value={value(row, at, cells[at] ?? '')}
                          disabled={left.has(row) || retry.isPending}
                          onChange={(event) => setEdits({ ...edits, [`${row}:${at}`]: event.target.value })}
                        />
                      </td>
                    ))}
                  </tr>
                );
              })}
            </tbody>
          </table>
        </section>
      )}
      <div className={own.actions}>
        <Button kind="primary" disabled={rows.length === 0} loading={retry.isPending} onClick={submit}>
          {t('importing:retry', { count: rows.length })}
        </Button>
        <Button icon={<IconUpload size={15} />} disabled={retry.isPending} onClick={() => input.current?.click()}>
          {t('importing:retryFile')}
        </Button>
        <input
          ref={input}
          type="file"
          className="sr-only"
          tabIndex={-1}
          aria-label={t('importing:retryFile')}
          accept=".csv,.xlsx"
          onChange={(event) => {
            const file = event.target.files?.[0];
            event.target.value = '';
            if (file !== undefined) send(file);
          }}
        />
      </div>
    </div>
  );
}
