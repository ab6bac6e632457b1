import { useState } from 'react';
import {
  type BulkSet,
  type CsvEncoding,
  type ExportFormat,
  errorText,
  isApprovalNeeded,
  type Job,
  type ObjectType,
  type Sort,
  startExport,
} from '@/api';
import { useTranslation } from '@/i18n';
import { storage } from '@/lib/storage';
import { Button, Modal, RadioGroup, SegmentedControl } from '@/ui';
import css from './mass.module.css';

interface Props {
  object: ObjectType;
  set: BulkSet;
  sort: Sort[];
  /** The columns on screen, in their order. */
  columns: string[];
  /** How many, as a text; empty when that is not known yet. */
  count: string;
  name: string;
  onClose: () => void;
  onStarted: (job: Job) => void;
}

interface Choice {
  format: ExportFormat;
  encoding: CsvEncoding;
  all: boolean;
}

/** A file of what a list shows. It is made in the background and waits under Jobs. */
export function ExportDialog({ object, set, sort, columns, count, name, onClose, onStarted }: Props) {
  const { t } = useTranslation(['jobs', 'common']);
  const [choice, setChoice] = useState<Choice>(() =>
    storage.get<Choice>('export', { format: 'xlsx', encoding: 'utf-8-bom', all: false }),
  );
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const change = (part: Partial<Choice>) => setChoice((old) => ({ ...old, ...part }));
  const start = async () => {
    setBusy(true);
    setProblem('');
    storage.set('export', choice);
    try {
      const { format, encoding, all } = choice;
      const job = await startExport(object.key, {
        ...set,
        format,
        name,
        ...(format === 'csv' && { encoding }),
        ...(!all && { fields: columns.filter((key) => key !== 'id') }),
        ...(set.search === undefined && { sort }),
      });
      onStarted(job);
      onClose();
    } catch (error) {
      if (isApprovalNeeded(error)) return onClose(); // the shell asks whether to send it for approval
      setProblem(errorText(error));
      setBusy(false);
    }
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={count === '' ? t('jobs:export.title') : t('jobs:export.titleOf', { text: count })}
      size={460}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" loading={busy} onClick={() => void start()}>
            {t('jobs:export.start')}
          </Button>
        </>
      }
    >
      <div className={css.dialog}>
        <SegmentedControl
          label={t('jobs:export.format')}
          value={choice.format}
          onChange={(format) => change({ format: format as ExportFormat })}
          options={[
            { value: 'xlsx', label: 'Excel' },
            { value: 'csv', label: 'CSV' },
            { value: 'ndjson', label: 'NDJSON' },
            { value: 'parquet', label: 'Parquet' },
          ]}
        />
        <p className="muted">{t(`jobs:export.about.${choice.format}`)}</p>
        {choice.format === 'csv' && (
          <RadioGroup
            label={t('jobs:export.encoding')}
            value={choice.encoding}
            onChange={(encoding) => change({ encoding })}
            options={[
              { value: 'utf-8-bom', label: t('jobs:export.utf8bom') },
              { value: 'utf-8', label: t('jobs:export.utf8') },
              { value: 'gb18030', label: t('jobs:export.gb18030') },
            ]}
          />
        )}
        <RadioGroup
          label={t('jobs:export.columns')}
          value={choice.all ? 'all' : 'shown'}
          onChange={(which) => change({ all: which === 'all' })}
          options={[
            { value: 'shown', label: t('jobs:export.shown', { count: columns.length }) },
            { value: 'all', label: t('jobs:export.all') },
          ]}
        />
        <p className="muted">{t('jobs:export.note')}</p>
        {problem !== '' && (
          <div className={css.problem} role="alert">
            {problem}
          </div>
        )}
      </div>
    </Modal>
  );
}
