import { IconDownload, IconFileUpload, IconPlayerStop } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { sourceQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { type Line, linesOf } from '@/records/file-lines';
import { BackLink, Button, DetailHead, Loaded, Panel, Progress, Select, Stat, Stats, Table, TextInput } from '@/ui';
import { COLUMN_TARGETS, type ColumnTarget, type EventMapping, guess, type Heads } from './history-file';
import { emptyTally, refusedFile, run, type Tally } from './history-run';
import css from './sources-history.module.css';

const SAMPLE = 20;
const TARGETS: readonly ColumnTarget[] = [...COLUMN_TARGETS, 'property', 'ignore'];

interface Opened {
  file: File;
  /** The first records, without the head. */
  sample: Line[];
  /** Null for lines of JSON. */
  mapping: EventMapping | null;
}
interface Work {
  kind: 'check' | 'import';
  tally: Tally;
  state: 'running' | 'done' | 'stopped' | 'failed';
  problem?: string;
}

/** The beginning of a file; null for one without records. */
async function open(file: File, heads: Heads): Promise<Opened | null> {
  const sample: Line[] = [];
  for await (const line of linesOf(file)) {
    sample.push(line);
    if (sample.length > SAMPLE) break;
  }
  const head = sample[0]?.cells;
  if (head === undefined) return sample.length === 0 ? null : { file, sample: sample.slice(0, SAMPLE), mapping: null };
  if (sample.length < 2) return null;
  return { file, sample: sample.slice(1), mapping: { head, targets: guess(head, heads), event: '' } };
}

function Mapping({ opened, onChange }: { opened: Opened; onChange: (mapping: EventMapping) => void }) {
  const { t } = useTranslation('sources');
  const { mapping, sample } = opened;
  if (mapping === null) return <p>{t('sources:history.json')}</p>;
  const rows = mapping.head.map((name, at) => ({ name, at }));
  const set = (at: number, target: ColumnTarget) =>
    onChange({
      ...mapping,
      // Each part of an event comes from one column.
      targets: mapping.targets.map((was, place) => {
        if (place === at) return target;
        return was === target && target !== 'property' && target !== 'ignore' ? 'property' : was;
      }),
    });
  return (
    <div className="stack">
      <Table
        label={t('sources:history.columns')}
        rows={rows}
        rowKey={(row) => `${row.at}`}
        columns={[
          { key: 'name', label: t('sources:history.column'), cell: (row) => row.name },
          {
            key: 'sample',
            label: t('sources:history.sample'),
            minor: true,
            cell: (row) => (
              <span className={css.sample}>
                {sample
                  .map((line) => line.cells?.[row.at] ?? '')
                  .filter((text) => text !== '')
                  .slice(0, 3)
                  .join(' \u00b7 ')}
              </span>
            ),
          },
          {
            key: 'target',
            label: t('sources:history.means'),
            cell: (row) => (
              <Select
                aria-label={t('sources:history.meansOf', { name: row.name })}
                value={mapping.targets[row.at] ?? 'property'}
                onChange={(next) => next !== null && set(row.at, next as ColumnTarget)}
                options={TARGETS.map((value) => ({
                  value: value as string,
                  label: t(`sources:history.target.${value}`),
                }))}
              />
            ),
          },
        ]}
      />
      {!mapping.targets.includes('event') && (
        <TextInput
          label={t('sources:history.event')}
          description={t('sources:history.eventHelp')}
          value={mapping.event}
          onChange={(event) => onChange({ ...mapping, event })}
        />
      )}
    </div>
  );
}

/** What stands between a mapping and a file that can be brought in. */
function missing(mapping: EventMapping | null): 'time' | 'who' | 'event' | null {
  if (mapping === null) return null;
  const has = (target: ColumnTarget) => mapping.targets.includes(target);
  if (!has('timestamp')) return 'time';
  if (!has('userId') && !has('anonymousId')) return 'who';
  if (!has('event') && !has('type') && mapping.event.trim() === '') return 'event';
  return null;
}

function Outcome({ work, name, onStop }: { work: Work; name: string; onStop: () => void }) {
  const { t } = useTranslation('sources');
  const fmt = useFormat();
  const { tally, state, kind } = work;
  const reasons = [...tally.reasons.values()].sort((left, right) => right.count - left.count);
  return (
    <Panel
      title={t(`sources:history.${kind}.${state}`)}
      aside={
        <>
          {state === 'running' && (
            <Button icon={<IconPlayerStop size={15} />} onClick={onStop}>
              {t('sources:history.stop')}
            </Button>
          )}
          {state !== 'running' && tally.refused.length > 0 && (
            <Button icon={<IconDownload size={15} />} onClick={() => refusedFile(name, tally)}>
              {t('sources:history.refusedFile')}
            </Button>
          )}
        </>
      }
    >
      <div className="stack" role="status">
        {state === 'running' && <Progress value={null} label={t(`sources:history.${kind}.running`)} />}
        {work.problem !== undefined && <p className={css.problem}>{work.problem}</p>}
        <Stats>
          <Stat label={t('sources:history.read')} value={fmt.number(tally.read)} />
          <Stat
            label={t(kind === 'check' ? 'sources:history.good' : 'sources:history.fresh')}
            value={fmt.number(tally.accepted - tally.duplicate)}
          />
          {kind === 'import' && <Stat label={t('sources:history.again')} value={fmt.number(tally.duplicate)} />}
          <Stat label={t('sources:rejected')} value={fmt.number(tally.rejected)} />
        </Stats>
        {reasons.length > 0 && (
          <Table
            label={t('sources:history.reasons')}
            rows={reasons}
            rowKey={(reason) => reason.message}
            columns={[
              { key: 'reason', label: t('sources:history.reasons'), cell: (reason) => reason.message },
              {
                key: 'count',
                label: t('sources:history.count'),
                align: 'right',
                cell: (reason) => fmt.number(reason.count),
              },
              {
                key: 'first',
                label: t('sources:history.first'),
                align: 'right',
                cell: (reason) => fmt.number(reason.first),
              },
            ]}
          />
        )}
        <p className="muted">
          {t(`sources:history.${kind}.note`)}{' '}
          {kind === 'import' && state !== 'running' && <Link to="/imports">{t('sources:history.toImports')}</Link>}
        </p>
      </div>
    </Panel>
  );
}

function History({ id }: { id: string }) {
  const { t } = useTranslation('sources');
  const fmt = useFormat();
  const client = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const stop = useRef<AbortController | null>(null);
  const [opened, setOpened] = useState<Opened | null>(null);
  const [hollow, setHollow] = useState<string | null>(null);
  const [work, setWork] = useState<Work | null>(null);
  useEffect(() => () => stop.current?.abort(), []);
  const choose = async (file: File | undefined) => {
    if (file === undefined) return;
    stop.current?.abort();
    setWork(null);
    try {
      const found = await open(file, (target) => t(`sources:history.heads.${target}`).split(' '));
      setOpened(found);
      setHollow(found === null ? t('sources:history.hollow', { name: file.name }) : null);
    } catch {
      setOpened(null);
      setHollow(t('sources:history.unreadable', { name: file.name }));
    }
  };
  const begin = async (kind: Work['kind']) => {
    if (opened === null) return;
    const control = new AbortController();
    stop.current = control;
    const tally = emptyTally();
    const show = (state: Work['state'], problem?: string) =>
      setWork({ kind, tally: { ...tally }, state, ...(problem !== undefined && { problem }) });
    show('running');
    try {
      await run({
        ...opened,
        source: id,
        dry: kind === 'check',
        tally,
        signal: control.signal,
        onMove: () => show('running'),
      });
      show('done');
    } catch (error) {
      show(
        control.signal.aborted ? 'stopped' : 'failed',
        control.signal.aborted ? undefined : (error as Error).message,
      );
    }
    if (kind === 'import') {
      void client.invalidateQueries({ queryKey: ['event-sources'] });
      void client.invalidateQueries({ queryKey: ['event-imports'] });
    }
  };
  const lacks = opened === null ? null : missing(opened.mapping);
  const running = work?.state === 'running';
  return (
    <>
      <Panel title={t('sources:history.file')}>
        <div className="stack">
          <p>{t('sources:history.text')}</p>
          <div className="row">
            <Button icon={<IconFileUpload size={15} />} disabled={running} onClick={() => input.current?.click()}>
              {t('sources:history.choose')}
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
              aria-label={t('sources:history.choose')}
              accept=".csv,.tsv,.txt,.ndjson,.jsonl,.json,.gz,.xlsx,.parquet"
              onChange={(event) => {
                void choose(event.currentTarget.files?.[0]);
                event.currentTarget.value = '';
              }}
            />
          </div>
          {hollow !== null && (
            <p className={css.problem} role="alert">
              {hollow}
            </p>
          )}
        </div>
      </Panel>
      {opened !== null && (
        <Panel
          title={t('sources:history.columns')}
          aside={
            <>
              <Button disabled={lacks !== null || running} onClick={() => void begin('check')}>
                {t('sources:history.check.begin')}
              </Button>
              <Button kind="primary" disabled={lacks !== null || running} onClick={() => void begin('import')}>
                {t('sources:history.import.begin')}
              </Button>
            </>
          }
        >
          <Mapping opened={opened} onChange={(mapping) => setOpened({ ...opened, mapping })} />
          {lacks !== null && (
            <p className={css.problem} role="alert">
              {t(`sources:history.lacks.${lacks}`)}
            </p>
          )}
        </Panel>
      )}
      {work !== null && opened !== null && (
        <Outcome work={work} name={opened.file.name} onStop={() => stop.current?.abort()} />
      )}
    </>
  );
}

/** Brings events of before in from a file. */
export function SourceHistoryPage() {
  const { t } = useTranslation('sources');
  const { id = '' } = useParams({ strict: false });
  const allowed = useCan()('source.manage');
  const { data, error, refetch } = useQuery({ ...sourceQuery(id), enabled: allowed });
  return (
    <Loaded allowed={allowed} data={data} error={error} onRetry={refetch}>
      {(source) => (
        <div className="stack">
          <DetailHead
            back={<BackLink to="/settings/sources/$id" params={{ id }} label={source.name} />}
            title={t('sources:history.title')}
          />
          <History id={source.id} />
        </div>
      )}
    </Loaded>
  );
}
