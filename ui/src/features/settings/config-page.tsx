import { IconCheck, IconDownload, IconFileUpload } from '@tabler/icons-react';
import { type DragEvent, useRef, useState } from 'react';
import {
  CONFIG_URL,
  type ConfigDifference,
  type ConfigDifferences,
  type FieldError,
  isApiError,
  useCompareConfig,
  useImportConfig,
} from '@/api';
import { useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { useCan } from '@/metadata';
import { Button, ButtonAnchor, EmptyState, Panel, toast } from '@/ui';
import css from './config.module.css';
import { ConfigTree } from './config-tree';

const MOST_BYTES = 16 * 1024 * 1024;

interface Chosen {
  name: string;
  content: unknown;
}

const standing = (items: readonly ConfigDifference[]) =>
  new Set(items.filter((item) => item.change !== 'only_here').map((item) => item.path));

function FilePick({ onPick, loading }: { onPick: (file: File) => void; loading: boolean }) {
  const { t } = useTranslation('config');
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const file = event.dataTransfer.files[0];
    if (file !== undefined) onPick(file);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is an extra; the button inside does the same
    <div
      className={cx(css.drop, over && css.over)}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
    >
      <input
        ref={input}
        type="file"
        accept=".json,application/json"
        className="sr-only"
        tabIndex={-1}
        aria-label={t('config:choose')}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file !== undefined) onPick(file);
          event.currentTarget.value = '';
        }}
      />
      <span className="muted">{t('config:drop')}</span>
      <Button icon={<IconFileUpload size={15} />} loading={loading} onClick={() => input.current?.click()}>
        {t('config:choose')}
      </Button>
    </div>
  );
}

interface ReviewProps {
  file: Chosen;
  found: ConfigDifferences;
  onApplied: (count: number) => void;
}

function Review({ file, found, onApplied }: ReviewProps) {
  const { t } = useTranslation(['config', 'common']);
  const [paths, setPaths] = useState(() => standing(found.items));
  const [problems, setProblems] = useState<readonly FieldError[]>([]);
  const run = useImportConfig();
  const send = (dry_run: boolean) =>
    run.mutate(
      { file: file.content, paths: [...paths], dry_run },
      {
        onSuccess: (done) => {
          setProblems(done.problems);
          if (!dry_run) onApplied(done.applied);
          else if (done.problems.length === 0) toast.ok(t('config:checked'));
        },
        onError: (error) => {
          setProblems(isApiError(error) ? error.fields : []);
          toast.error(t('config:failed'), { detail: error.message });
        },
      },
    );
  const choose = (some: readonly string[], on: boolean) => {
    setProblems([]);
    setPaths((old) => {
      const next = new Set(old);
      for (const path of some) on ? next.add(path) : next.delete(path);
      return next;
    });
  };
  if (found.items.length === 0)
    return <EmptyState compact cause="no_match" title={t('config:same')} text={t('config:sameText')} />;
  return (
    <Panel title={file.name} aside={t('config:count', { count: found.items.length })}>
      <p className="muted">{t('config:review')}</p>
      {problems.length > 0 && (
        <p role="alert" className={css.alert}>
          {t('config:problems', { count: problems.length })}
        </p>
      )}
      <ConfigTree items={found.items} chosen={paths} problems={problems} onChoose={choose} />
      {found.left_out !== undefined && <p className="muted">{t('config:leftOut', { count: found.left_out.length })}</p>}
      <div className={css.actions}>
        <Button disabled={paths.size === 0} loading={run.isPending} onClick={() => send(true)}>
          {t('config:check')}
        </Button>
        <Button kind="primary" disabled={paths.size === 0} loading={run.isPending} onClick={() => send(false)}>
          {t('config:apply', { count: paths.size })}
        </Button>
      </div>
    </Panel>
  );
}

/** The configuration of the workspace as a file: download, compare, take over. */
export function ConfigPage() {
  const { t } = useTranslation(['config', 'settings']);
  const can = useCan();
  const compare = useCompareConfig();
  const [file, setFile] = useState<Chosen | null>(null);
  const [applied, setApplied] = useState<number | null>(null);
  if (!can('schema.manage')) return <EmptyState cause="no_permission" />;
  const pick = async (from: File) => {
    setApplied(null);
    setFile(null);
    compare.reset();
    try {
      if (from.size > MOST_BYTES) throw new Error('too large');
      const content: unknown = JSON.parse(await from.text());
      setFile({ name: from.name, content });
      compare.mutate(content, { onError: (error) => toast.error(t('config:unreadable'), { detail: error.message }) });
    } catch {
      toast.error(t('config:unreadable'), { detail: t('config:notJson') });
    }
  };
  return (
    <div className="stack">
      <Panel
        title={t('settings:page.config')}
        aside={
          <ButtonAnchor href={CONFIG_URL} download="" icon={<IconDownload size={15} />}>
            {t('config:download')}
          </ButtonAnchor>
        }
      >
        <p className="muted">{t('config:about')}</p>
        <FilePick onPick={pick} loading={compare.isPending} />
      </Panel>
      {applied !== null && (
        <p role="status" className={css.done}>
          <IconCheck size={16} aria-hidden /> {t('config:applied', { count: applied })}
        </p>
      )}
      {applied === null && file !== null && compare.data !== undefined && (
        <Review key={compare.submittedAt} file={file} found={compare.data} onApplied={setApplied} />
      )}
    </div>
  );
}
