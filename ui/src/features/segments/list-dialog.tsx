import { IconUpload } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useRef, useState } from 'react';
import { isApiError, type ListInput, type ListResult, type Segment, useSegmentList } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useObject } from '@/metadata';
import { Button, Checkbox, Modal, SegmentedControl, Select, Textarea, TextInput, toast } from '@/ui';
import { decodeText, guessColumn, guessField, readRows } from './list-file';
import parts from './parts.module.css';
import css from './segments.module.css';

const MOST = 200_000;
const FINDING = new Set(['text', 'phone', 'email', 'auto_number']);
const MODES = ['add', 'remove', 'replace'] as const;

/** The fields by which customers can be found. */
function useFields() {
  const { t } = useTranslation('segments');
  const label = useLabel();
  const customer = useObject('customer');
  const fields = (customer?.fields ?? []).filter(
    (field) =>
      field.access !== 'hidden' &&
      field.filterable &&
      (field.unique || FINDING.has(field.type)) &&
      field.key !== 'name',
  );
  return [
    ...fields.map((field) => ({ value: field.key, label: label(field.label, field.key) })),
    { value: 'id', label: t('segments:list.id') },
  ];
}

function Outcome({ result }: { result: ListResult }) {
  const { t } = useTranslation('segments');
  const fmt = useFormat();
  return (
    <div className={parts.outcome} role="status">
      <p>
        {t('segments:list.found', {
          values: fmt.number(result.values),
          found: fmt.number(result.found),
          customers: fmt.number(result.customers),
        })}
      </p>
      {result.repeated > 0 && <p className="muted">{t('segments:list.repeated', { count: result.repeated })}</p>}
      {result.missing > 0 && (
        <details>
          <summary>{t('segments:list.missing', { count: result.missing })}</summary>
          <pre className={parts.missing}>{result.missing_values.join('\n')}</pre>
        </details>
      )}
    </div>
  );
}

interface Props {
  /** A static segment whose list is changed; without one a new segment is made. */
  segment?: Segment;
  onClose: () => void;
}

/** A static segment from a file or pasted values: looked up first, with what was not found. */
export function ListDialog({ segment, onClose }: Props) {
  const { t } = useTranslation(['segments', 'common']);
  const navigate = useNavigate();
  const fields = useFields();
  const file = useRef<HTMLInputElement>(null);
  const save = useSegmentList();
  const [label, setLabel] = useState('');
  const [text, setText] = useState('');
  const [column, setColumn] = useState(0);
  const [header, setHeader] = useState(false);
  const [field, setField] = useState('phone');
  const [mode, setMode] = useState<(typeof MODES)[number]>('add');
  const [looked, setLooked] = useState<{ of: string; result: ListResult } | null>(null);
  const rows = useMemo(() => readRows(text), [text]);
  const width = Math.max(1, ...rows.slice(0, 200).map((row) => row.length));
  const values = useMemo(
    () => (header ? rows.slice(1) : rows).map((row) => row[column] ?? '').filter((value) => value !== ''),
    [rows, header, column],
  );
  const take = (next: string) => {
    setText(next);
    const read = readRows(next);
    const at = guessColumn(read);
    const cells = read.map((row) => row[at] ?? '');
    const guess = guessField(cells.slice(1)) ?? guessField(cells);
    setColumn(at);
    if (guess !== null) setField(guess);
    setHeader(read.length > 1 && guess !== null && guessField(cells.slice(0, 1)) === null);
  };
  const mark = JSON.stringify([field, column, header, text]);
  const input: ListInput = {
    field,
    values,
    ...(segment === undefined ? { label: label.trim() } : { key: segment.key, mode }),
  };
  const ready = values.length > 0 && values.length <= MOST && (segment !== undefined || label.trim() !== '');
  const known = looked?.of === mark ? looked.result : null;
  const failed = (error: unknown) => toast.error(isApiError(error) ? error.message : t('common:failed.save'));
  const look = () =>
    save.mutate(
      { field, values, dry_run: true },
      { onSuccess: (result) => setLooked({ of: mark, result }), onError: failed },
    );
  const submit = () =>
    save.mutate(input, {
      onSuccess: (result) => {
        if (result.segment === null) return;
        toast.ok(t('segments:saved', { name: result.segment.label }));
        onClose();
        navigate({ to: '/segments/$key', params: { key: result.segment.key }, search: {} });
      },
      onError: failed,
    });
  return (
    <Modal
      opened
      onClose={onClose}
      title={segment === undefined ? t('segments:list.title') : t('segments:list.changeOf', { name: segment.label })}
      size={560}
      dirty={text !== ''}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button onClick={look} disabled={values.length === 0 || values.length > MOST} loading={save.isPending}>
            {t('segments:list.look')}
          </Button>
          <Button kind="primary" onClick={submit} disabled={!ready} loading={save.isPending}>
            {t('segments:list.save')}
          </Button>
        </>
      }
    >
      <div className="stack">
        {segment === undefined ? (
          <TextInput label={t('segments:name')} value={label} maxLength={80} required onChange={setLabel} />
        ) : (
          <SegmentedControl
            label={t('segments:list.mode')}
            value={mode}
            onChange={setMode}
            options={MODES.map((value) => ({ value, label: t(`segments:list.${value}`) }))}
          />
        )}
        <Textarea
          label={t('segments:list.values')}
          description={t('segments:list.help')}
          value={text}
          minRows={5}
          maxRows={10}
          onChange={take}
        />
        <div className="row">
          <Button icon={<IconUpload size={15} />} onClick={() => file.current?.click()}>
            {t('segments:list.file')}
          </Button>
          <input
            ref={file}
            type="file"
            accept=".csv,.tsv,.txt"
            hidden
            aria-label={t('segments:list.file')}
            onChange={async (event) => {
              const [chosen] = event.currentTarget.files ?? [];
              if (chosen !== undefined) take(decodeText(await chosen.arrayBuffer()));
            }}
          />
          <span className="muted">{t('segments:list.count', { count: values.length })}</span>
        </div>
        <div className={parts.listFields}>
          <Select
            label={t('segments:list.field')}
            options={fields}
            value={field}
            onChange={(next) => next !== null && setField(next)}
          />
          {width > 1 && (
            <Select
              label={t('segments:list.column')}
              options={Array.from({ length: width }, (_, at) => ({
                value: String(at),
                label: `${at + 1} \u00b7 ${rows[0]?.[at] ?? ''}`,
              }))}
              value={String(column)}
              onChange={(next) => setColumn(Number(next ?? 0))}
            />
          )}
        </div>
        {rows.length > 0 && <Checkbox label={t('segments:list.header')} checked={header} onChange={setHeader} />}
        {values.length > MOST && <p className={css.fault}>{t('segments:list.tooMany', { max: MOST })}</p>}
        {known !== null && <Outcome result={known} />}
      </div>
    </Modal>
  );
}
