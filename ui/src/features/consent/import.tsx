import { IconDownload, IconFileUpload, IconPlayerStop } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { type ConsentPolicy, errorText, importConsents } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { saveCsv } from '@/lib/csv';
import { useSession } from '@/metadata';
import { linesOf } from '@/records/file-lines';
import { Button, Panel, Progress, Select, Stat, Stats, Table } from '@/ui';
import css from './consent-settings.module.css';
import {
  BY,
  type By,
  type Column,
  guess,
  MUST,
  type Names,
  namesOf,
  PARTS,
  statementOf,
  type Target,
} from './import-file';

const SAMPLE = 20;
const AT_ONCE = 500;
/** So many refused rows are kept for the file. */
const MOST_REFUSED = 50_000;
const CHANNELS = ['email', 'sms', 'phone', 'wechat', 'push', 'post', 'web', 'any'] as const;
const SOURCES = ['form', 'import', 'api', 'agent'] as const;

interface Opened {
  file: File;
  columns: Column[];
  sample: string[][];
  by: By;
}
interface Refused {
  line: number;
  message: string;
  cells: readonly string[];
}
interface Work {
  dry: boolean;
  state: 'running' | 'done' | 'stopped' | 'failed';
  read: number;
  fresh: number;
  known: number;
  unsent: number;
  refused: Refused[];
  failed: number;
  problem: string;
}

/** Which field names the customers, by what stands in its column. */
function byOf(values: readonly string[]): By {
  const all = values.filter((value) => value !== '');
  if (all.length === 0) return 'external_id';
  if (all.every((value) => value.includes('@'))) return 'email';
  if (all.every((value) => /^\+?[\d\s-]{7,20}$/.test(value) && value.replaceAll(/\D/g, '').length >= 10))
    return 'phone';
  return all.every((value) => value.startsWith('cus_')) ? 'id' : 'external_id';
}

/** Brings what many customers said in from a file: columns are matched, everything is looked over, and what can be taken is written, once. */
export function Import({ policy }: { policy: ConsentPolicy }) {
  const { t } = useTranslation(['consent', 'common']);
  const fmt = useFormat();
  const label = useLabel();
  const client = useQueryClient();
  const zone = useSession().workspace.timezone;
  const input = useRef<HTMLInputElement>(null);
  const stop = useRef<AbortController | null>(null);
  const [opened, setOpened] = useState<Opened | null>(null);
  const [problem, setProblem] = useState('');
  const [work, setWork] = useState<Work | null>(null);
  useEffect(() => () => stop.current?.abort(), []);
  const names: Names = {
    purpose: namesOf(policy.purposes.map((one) => [one.key, label(one.label, one.key)])),
    channel: namesOf(CHANNELS.map((key) => [key, t(`consent:channel.${key}`)])),
    state: namesOf([
      ['given', t('consent:agreed')],
      ['withdrawn', t('consent:refused')],
      ...t('consent:import.yes')
        .split(' ')
        .map((word) => ['given', word] as const),
      ...t('consent:import.no')
        .split(' ')
        .map((word) => ['withdrawn', word] as const),
    ]),
    source: namesOf(SOURCES.map((key) => [key, t(`consent:source.${key}`)])),
  };
  const choose = async (file: File | undefined) => {
    if (file === undefined) return;
    stop.current?.abort();
    setWork(null);
    setOpened(null);
    setProblem('');
    try {
      const rows: string[][] = [];
      for await (const line of linesOf(file)) {
        if (line.cells === undefined) break;
        rows.push(line.cells);
        if (rows.length > SAMPLE) break;
      }
      const [head, ...sample] = rows;
      if (head === undefined || sample.length === 0) {
        setProblem(t('consent:import.hollow', { name: file.name }));
        return;
      }
      const columns = guess(head, (key) => t(`consent:import.${key}`).split(' '));
      const at = columns.findIndex((column) => column.target === 'customer');
      setOpened({ file, columns, sample, by: byOf(sample.map((cells) => cells[at] ?? '')) });
    } catch {
      setProblem(t('consent:import.unreadable', { name: file.name }));
    }
  };
  const begin = async (dry: boolean) => {
    if (opened === null) return;
    const control = new AbortController();
    stop.current = control;
    const all: Work = {
      dry,
      state: 'running',
      read: 0,
      fresh: 0,
      known: 0,
      unsent: 0,
      refused: [],
      failed: 0,
      problem: '',
    };
    let batch: { line: number; cells: readonly string[] }[] = [];
    const send = async () => {
      control.signal.throwIfAborted();
      if (batch.length > 0) {
        const items = batch.map((one) => statementOf(one.cells, opened.columns, names, zone));
        const answer = await importConsents(opened.by, items, dry, control.signal);
        all.fresh += answer.new;
        all.known += answer.known;
        all.unsent += answer.unsent;
        all.failed += answer.errors.length;
        for (const fault of answer.errors) {
          const row = batch[fault.index];
          if (row !== undefined && all.refused.length < MOST_REFUSED)
            all.refused.push({ ...row, message: fault.message });
        }
      }
      batch = [];
      setWork({ ...all });
    };
    setWork({ ...all });
    try {
      let head = true;
      let line = 0;
      for await (const { cells } of linesOf(opened.file)) {
        line++;
        if (head) {
          head = false;
          continue;
        }
        all.read++;
        batch.push({ line, cells: cells ?? [] });
        if (batch.length >= AT_ONCE) await send();
      }
      await send();
      setWork({ ...all, state: 'done' });
    } catch (error) {
      setWork({
        ...all,
        state: control.signal.aborted ? 'stopped' : 'failed',
        problem: control.signal.aborted ? '' : errorText(error),
      });
    }
    if (!dry) await client.invalidateQueries({ queryKey: ['privacy', 'consents'] });
  };
  const lacks = opened === null ? [] : MUST.filter((part) => !opened.columns.some((column) => column.target === part));
  const running = work?.state === 'running';
  const set = (at: number, target: Target) =>
    opened !== null &&
    setOpened({
      ...opened,
      columns: opened.columns.map((column, place) => {
        if (place === at) return { ...column, target };
        return column.target === target ? { ...column, target: 'ignore' } : column;
      }),
    });
  return (
    <>
      <Panel title={t('consent:import.title')}>
        <div className="stack">
          <p>{t('consent:import.text')}</p>
          <div className="row">
            <Button icon={<IconFileUpload size={15} />} disabled={running} onClick={() => input.current?.click()}>
              {t('consent:import.choose')}
            </Button>
            {opened !== null && (
              <span>
                {opened.file.name} <span className="muted">{fmt.bytes(opened.file.size)}</span>
              </span>
            )}
            <input
              ref={input}
              type="file"
              hidden
              aria-label={t('consent:import.choose')}
              accept=".csv,.tsv,.txt,.gz"
              onChange={(event) => {
                void choose(event.currentTarget.files?.[0]);
                event.currentTarget.value = '';
              }}
            />
          </div>
          {problem !== '' && (
            <p className={css.problem} role="alert">
              {problem}
            </p>
          )}
        </div>
      </Panel>
      {opened !== null && (
        <Panel
          title={t('consent:import.columns')}
          aside={
            <>
              <Button disabled={lacks.length > 0 || running} onClick={() => void begin(true)}>
                {t('consent:import.check')}
              </Button>
              <Button kind="primary" disabled={lacks.length > 0 || running} onClick={() => void begin(false)}>
                {t('consent:import.begin')}
              </Button>
            </>
          }
        >
          <div className="stack">
            <Select
              label={t('consent:import.by')}
              value={opened.by}
              onChange={(next) => next !== null && setOpened({ ...opened, by: next as By })}
              options={BY.map((value) => ({ value: value as string, label: t(`consent:import.byName.${value}`) }))}
            />
            <Table
              label={t('consent:import.columns')}
              rows={opened.columns.map((column, at) => ({ ...column, at }))}
              rowKey={(row) => `${row.at}`}
              columns={[
                { key: 'head', label: t('consent:import.column'), cell: (row) => row.head },
                {
                  key: 'sample',
                  label: t('consent:import.sample'),
                  minor: true,
                  cell: (row) =>
                    opened.sample
                      .map((cells) => cells[row.at] ?? '')
                      .filter((text) => text !== '')
                      .slice(0, 3)
                      .join(' \u00b7 '),
                },
                {
                  key: 'target',
                  label: t('consent:import.means'),
                  cell: (row) => (
                    <Select
                      aria-label={t('consent:import.meansOf', { name: row.head })}
                      value={row.target}
                      onChange={(next) => next !== null && set(row.at, next as Target)}
                      options={[...PARTS, 'ignore'].map((value) => ({
                        value,
                        label: t(`consent:import.part.${value}`),
                      }))}
                    />
                  ),
                },
              ]}
            />
            {lacks.length > 0 && (
              <p className={css.problem} role="alert">
                {t('consent:import.lacks', { parts: lacks.map((part) => t(`consent:import.part.${part}`)).join(', ') })}
              </p>
            )}
          </div>
        </Panel>
      )}
      {work !== null && opened !== null && <Outcome work={work} opened={opened} onStop={() => stop.current?.abort()} />}
    </>
  );
}

function Outcome({ work, opened, onStop }: { work: Work; opened: Opened; onStop: () => void }) {
  const { t } = useTranslation('consent');
  const fmt = useFormat();
  const kind = work.dry ? 'checking' : 'writing';
  const reasons = new Map<string, { count: number; first: number }>();
  for (const { message, line } of work.refused) {
    const reason = reasons.get(message) ?? { count: 0, first: line };
    reasons.set(message, { ...reason, count: reason.count + 1 });
  }
  const save = () =>
    saveCsv(
      `${opened.file.name}-refused`,
      [t('consent:import.line'), t('consent:import.reason'), ...opened.columns.map((column) => column.head)],
      work.refused.map((one) => [one.line, one.message, ...one.cells]),
    );
  return (
    <Panel
      title={t(`consent:import.${kind}.${work.state}`)}
      aside={
        <>
          {work.state === 'running' && (
            <Button icon={<IconPlayerStop size={15} />} onClick={onStop}>
              {t('consent:import.stop')}
            </Button>
          )}
          {work.state !== 'running' && work.refused.length > 0 && (
            <Button icon={<IconDownload size={15} />} onClick={save}>
              {t('consent:import.refusedFile')}
            </Button>
          )}
        </>
      }
    >
      <div className="stack" role="status">
        {work.state === 'running' && <Progress value={null} label={t(`consent:import.${kind}.running`)} />}
        {work.problem !== '' && <p className={css.problem}>{work.problem}</p>}
        <Stats>
          <Stat label={t('consent:import.read')} value={fmt.number(work.read)} />
          <Stat label={t(work.dry ? 'consent:import.good' : 'consent:import.fresh')} value={fmt.number(work.fresh)} />
          {!work.dry && <Stat label={t('consent:import.known')} value={fmt.number(work.known)} />}
          <Stat label={t('consent:import.refused')} value={fmt.number(work.failed)} />
        </Stats>
        {work.unsent > 0 && <p className={css.problem}>{t('consent:import.unsent', { count: work.unsent })}</p>}
        {reasons.size > 0 && (
          <Table
            label={t('consent:import.reason')}
            rows={[...reasons].toSorted(([, left], [, right]) => right.count - left.count)}
            rowKey={([message]) => message}
            columns={[
              { key: 'reason', label: t('consent:import.reason'), cell: ([message]) => message },
              {
                key: 'count',
                label: t('consent:import.count'),
                align: 'right',
                cell: ([, one]) => fmt.number(one.count),
              },
              {
                key: 'first',
                label: t('consent:import.first'),
                align: 'right',
                cell: ([, one]) => fmt.number(one.first),
              },
            ]}
          />
        )}
        <p className="muted">{t(`consent:import.${kind}.note`)}</p>
      </div>
    </Panel>
  );
}
