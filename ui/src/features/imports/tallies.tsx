import { IconDownload } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { type ImportLine, type ImportResult, type ImportRun, type ImportTally, importErrorsUrl } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { findObject, useObjects, useSession } from '@/metadata';
import { ButtonAnchor, Table } from '@/ui';
import css from './imports.module.css';
import own from './tallies.module.css';

/** Why rows were not taken, or taken with a reserve, the most frequent first. */
function Reasons({ run }: { run: ImportRun }) {
  const { t } = useTranslation(['imports', 'importing']);
  const fmt = useFormat();
  if (run.reasons.length === 0) return null;
  return (
    <div className={own.left}>
      <h3>{t('importing:reasons')}</h3>
      <ul className={own.reasons}>
        {run.reasons.map(({ code, kind, message, rows }) => (
          <li key={code} data-kind={kind}>
            <span>{message}</span>
            <span className="muted">{t(`importing:reasonKind.${kind}`)}</span>
            <strong className="num">{fmt.number(rows)}</strong>
          </li>
        ))}
      </ul>
    </div>
  );
}

const sumOf = (tally: Record<string, number> | undefined): number =>
  Object.values(tally ?? {}).reduce((sum, count) => sum + count, 0);

/** Rows of the file, and what became of records by object. */
export function Tallies({ result, dry = false }: { result: ImportResult; dry?: boolean }) {
  const { t } = useTranslation('imports');
  const fmt = useFormat();
  const label = useLabel();
  const objects = useObjects();
  const facts = [
    { key: 'rows', value: result.rows, tone: undefined },
    { key: dry ? 'wouldCreate' : 'created', value: result.created ?? 0, tone: undefined },
    { key: dry ? 'wouldUpdate' : 'updated', value: result.updated ?? 0, tone: undefined },
    { key: 'unchanged', value: result.unchanged ?? 0, tone: undefined },
    { key: 'skipped', value: result.skipped ?? 0, tone: undefined },
    { key: 'errors', value: result.errors, tone: result.errors > 0 ? 'danger' : undefined },
  ];
  if ((result.marked ?? 0) > 0) facts.push({ key: 'marked', value: result.marked ?? 0, tone: 'warn' });
  const unrated = sumOf(result.no_rate);
  if (unrated > 0) facts.push({ key: 'noRate', value: unrated, tone: 'warn' });
  const rows = Object.entries(result.by_object ?? {});
  const count = (value: number | undefined) => <span className="num">{fmt.number(value ?? 0)}</span>;
  return (
    <div className="stack">
      <dl className={css.facts}>
        {facts.map((fact) => (
          <div key={fact.key}>
            <dt>{t(fact.key === 'marked' ? 'importing:marked' : `imports:tally.${fact.key}`)}</dt>
            <dd data-tone={fact.tone}>{fmt.number(fact.value)}</dd>
          </div>
        ))}
      </dl>
      {rows.length > 1 && (
        <Table
          label={t('imports:byObject')}
          rows={rows}
          rowKey={([key]) => key}
          columns={[
            {
              key: 'object',
              label: t('imports:object'),
              cell: ([key]: [string, ImportTally]) => {
                const object = findObject(objects, key);
                const name = label(object?.plural, key);
                if (dry || object === undefined || object.hidden) return name;
                return (
                  <Link to="/o/$object" params={{ object: key }} search={{ sort: '-created_at' }}>
                    {name}
                  </Link>
                );
              },
            },
            {
              key: 'created',
              label: dry ? t('imports:tally.wouldCreate') : t('imports:tally.created'),
              align: 'right',
              cell: ([, tally]) => count(tally.created),
            },
            {
              key: 'updated',
              label: dry ? t('imports:tally.wouldUpdate') : t('imports:tally.updated'),
              align: 'right',
              cell: ([, tally]) => count(tally.updated),
            },
            {
              key: 'unchanged',
              label: t('imports:tally.unchanged'),
              align: 'right',
              cell: ([, tally]) => count(tally.unchanged),
            },
          ]}
        />
      )}
    </div>
  );
}

interface LinesProps {
  run: ImportRun;
  kind: 'errors' | 'skipped' | 'marked';
  lines: readonly ImportLine[];
  /** How many there are in all, where that is known. */
  total: number | undefined;
}

const LineTable = ({ label, lines }: { label: string; lines: readonly ImportLine[] }) => {
  const { t } = useTranslation('imports');
  const fmt = useFormat();
  return (
    <Table
      label={label}
      rows={lines.map((entry, at) => ({ ...entry, at }))}
      rowKey={(row) => String(row.at)}
      columns={[
        { key: 'row', label: t('imports:error.row'), align: 'right', width: 70, cell: (row) => fmt.number(row.row) },
        { key: 'column', label: t('imports:error.column'), cell: (row) => row.column || '\u2013' },
        {
          key: 'value',
          label: t('imports:error.value'),
          minor: true,
          cell: (row) => (row.value === '' ? <span className="muted">{'\u2013'}</span> : <code>{row.value}</code>),
        },
        { key: 'message', label: t('imports:error.reason'), cell: (row) => row.message },
      ]}
    />
  );
};

/** The first rows that were not taken for one kind of reason, and the file with all of them. */
function Lines({ run, kind, lines, total }: LinesProps) {
  const { t } = useTranslation(['imports', 'importing']);
  if (lines.length === 0 && (kind !== 'errors' || (total ?? 0) === 0)) return null;
  const say = (part: 'title' | 'help' | 'download') =>
    kind === 'marked' ? t(`importing:leftOut.marked.${part}`) : t(`imports:leftOut.${kind}.${part}`);
  const title = say('title');
  return (
    <div className={own.left}>
      <div className={own.head}>
        <div className="grow">
          <h3>{title}</h3>
          <p className="muted">
            {total !== undefined && lines.length > 0 && total > lines.length
              ? t('imports:leftOut.first', { shown: lines.length, count: total })
              : say('help')}
          </p>
        </div>
        <ButtonAnchor href={importErrorsUrl(run.id, kind)} download={`${kind}.csv`} icon={<IconDownload size={15} />}>
          {say('download')}
        </ButtonAnchor>
      </div>
      {lines.length > 0 && <LineTable label={title} lines={lines} />}
    </div>
  );
}

/** Amounts in a currency without a rate: their rows are imported and count in no total. */
function NoRate({ run }: { run: ImportRun }) {
  const { t } = useTranslation('imports');
  const fmt = useFormat();
  const { workspace } = useSession();
  const tally = Object.entries(run.result?.no_rate ?? {}).filter(([, count]) => count > 0);
  if (tally.length === 0) return null;
  const dry = run.status === 'checked' || run.status === 'checking';
  return (
    <div className={own.left}>
      <h3>{t('imports:noRate.title')}</h3>
      <p className="muted">
        {t(dry ? 'imports:noRate.wouldText' : 'imports:noRate.text', { base: workspace.currency })}
      </p>
      <ul className={own.tally}>
        {tally.map(([currency, count]) => (
          <li key={currency}>
            <strong>{currency}</strong> {t('imports:rows', { count, shown: fmt.number(count) })}
          </li>
        ))}
      </ul>
    </div>
  );
}

const NO_RATE = 'import.no_rate';
const faultyLines = (run: ImportRun): ImportLine[] => run.errors_sample.filter((line) => line.code !== NO_RATE);

export const hasLeftLines = (run: ImportRun): boolean =>
  run.errors_sample.length + run.skipped_sample.length + run.reasons.length + (run.result?.errors ?? 0) > 0;

/** What wants a look: rows with errors, apart from those that a rule left out, apart from amounts without a rate. */
export function LeftLines({ run }: { run: ImportRun }) {
  return (
    <>
      <Reasons run={run} />
      <Lines run={run} kind="errors" lines={faultyLines(run)} total={run.result?.errors} />
      <NoRate run={run} />
      <Lines run={run} kind="marked" lines={run.marked_sample} total={run.result?.marked} />
      <Lines run={run} kind="skipped" lines={run.skipped_sample} total={run.result?.skipped} />
    </>
  );
}
