import { IconPlus, IconX } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import { type BulkOrder, type BulkSet, type ChangeOp, errorText, type Job, type ObjectType, startBulk } from '@/api';
import { FieldEditor } from '@/fields';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { findField } from '@/metadata';
import { Button, Checkbox, IconButton, Modal, Select } from '@/ui';
import { bulkFields, isComplete, type Line, opsOf, toChanges } from './changes';
import css from './mass.module.css';
import { Preview, usePreview } from './preview';

interface Props {
  object: ObjectType;
  set: BulkSet;
  /** How many are selected, as a text: the preview counts exactly. */
  count: string;
  /** Which lines stand there at first; owner is a dialog of its own. */
  about: 'edit' | 'tag' | 'assign';
  onClose: () => void;
  onStarted: (job: Job) => void;
}

const START: Record<Props['about'], Omit<Line, 'key'>[]> = {
  edit: [{ field: '', op: 'set', value: null }],
  tag: [
    { field: 'tags', op: 'add', value: [] },
    { field: 'tags', op: 'remove', value: [] },
  ],
  assign: [{ field: 'owner', op: 'set', value: null }],
};

/** Changes fields of many records at once: what to do, then what it would make of the first of them. */
export function EditDialog({ object, set, count, about, onClose, onStarted }: Props) {
  const { t } = useTranslation(['jobs', 'common']);
  const fmt = useFormat();
  const next = useRef(10);
  const [lines, setLines] = useState<Line[]>(() => START[about].map((line, key) => ({ ...line, key })));
  const [nobody, setNobody] = useState(false);
  const [all, setAll] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');

  const changed = all ? 'apply' : 'skip';
  const order = ((): BulkOrder | null => {
    if (about === 'assign') {
      const owner = nobody ? null : ((lines[0]?.value as { id?: string } | null)?.id ?? null);
      return owner === null && !nobody ? null : { ...set, action: 'assign', owner, changed };
    }
    const changes = toChanges(lines, object);
    return changes.length === 0 ? null : { ...set, action: 'edit', changes, changed };
  })();
  const preview = usePreview(object, order);
  const known =
    preview.data !== undefined && !preview.isPlaceholderData && !preview.isError ? preview.data.count : null;

  const patch = (key: number, part: Partial<Line>) =>
    setLines((old) => old.map((line) => (line.key === key ? { ...line, ...part } : line)));
  const start = async () => {
    if (order === null) return;
    setBusy(true);
    setProblem('');
    try {
      onStarted(await startBulk(object.key, order));
      onClose();
    } catch (error) {
      setProblem(errorText(error));
      setBusy(false);
    }
  };

  return (
    <Modal
      opened
      onClose={onClose}
      title={t(`jobs:dialog.${about}`, { text: count })}
      size={680}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button
            kind="primary"
            loading={busy}
            disabled={order === null || preview.isError || known === 0}
            onClick={() => void start()}
          >
            {t('jobs:dialog.apply', { text: known === null ? count : fmt.number(known) })}
          </Button>
        </>
      }
    >
      <div className={css.dialog}>
        {about === 'assign' ? (
          <AssignLine object={object} line={lines[0]} nobody={nobody} onNobody={setNobody} onChange={patch} />
        ) : (
          <div className={css.lines}>
            {lines.map((line) => (
              <LineEditor
                key={line.key}
                object={object}
                line={line}
                used={lines.filter((other) => other.key !== line.key)}
                fixed={about === 'tag'}
                onChange={(part) => patch(line.key, part)}
                {...(about === 'edit' &&
                  lines.length > 1 && {
                    onRemove: () => setLines((old) => old.filter((other) => other.key !== line.key)),
                  })}
              />
            ))}
            {about === 'edit' && (
              <div>
                <Button
                  kind="subtle"
                  icon={<IconPlus size={15} />}
                  disabled={lines.some((line) => !isComplete(line))}
                  onClick={() =>
                    setLines((old) => [...old, { key: next.current++, field: '', op: 'set', value: null }])
                  }
                >
                  {t('jobs:dialog.more')}
                </Button>
              </div>
            )}
          </div>
        )}
        <Preview object={object} preview={preview} />
        <Checkbox
          label={t('jobs:dialog.changed')}
          description={t('jobs:dialog.changedHelp')}
          checked={all}
          onChange={setAll}
        />
        {problem !== '' && (
          <div className={css.problem} role="alert">
            {problem}
          </div>
        )}
      </div>
    </Modal>
  );
}

interface AssignProps {
  object: ObjectType;
  line: Line | undefined;
  nobody: boolean;
  onNobody: (on: boolean) => void;
  onChange: (key: number, part: Partial<Line>) => void;
}
function AssignLine({ object, line, nobody, onNobody, onChange }: AssignProps) {
  const { t } = useTranslation('jobs');
  const label = useLabel();
  const field = findField(object, 'owner');
  if (field === undefined || line === undefined) return null;
  return (
    <div className={css.lines}>
      <FieldEditor
        field={{ ...field, operation_only: false }}
        value={nobody ? null : line.value}
        onChange={(value) => onChange(line.key, { value })}
        label={label(field.label, field.key)}
        disabled={nobody}
        size="lg"
      />
      <Checkbox label={t('jobs:dialog.nobody')} checked={nobody} onChange={onNobody} />
    </div>
  );
}

interface LineProps {
  object: ObjectType;
  line: Line;
  used: readonly Line[];
  fixed: boolean;
  onChange: (part: Partial<Line>) => void;
  onRemove?: () => void;
}
function LineEditor({ object, line, used, fixed, onChange, onRemove }: LineProps) {
  const { t } = useTranslation('jobs');
  const label = useLabel();
  const field = findField(object, line.field);
  const taken = new Set(used.map((other) => other.field));
  const options = bulkFields(object)
    .filter((one) => one.key === line.field || !taken.has(one.key))
    .map((one) => ({ value: one.key, label: label(one.label, one.key) }));
  const editor = field !== undefined && line.op !== 'clear' && (
    <FieldEditor
      key={`${field.key}-${line.op}`}
      field={{ ...field, required: false }}
      value={line.value}
      onChange={(value) => onChange({ value })}
      size="lg"
      {...(fixed ? { label: t(`jobs:dialog.tag_${line.op}`) } : { 'aria-label': t('jobs:dialog.value') })}
    />
  );
  if (fixed) return <div>{editor}</div>;
  return (
    <div className={css.line}>
      <Select
        aria-label={t('jobs:dialog.field')}
        placeholder={t('jobs:dialog.chooseField')}
        options={options}
        value={line.field === '' ? null : line.field}
        searchable
        size="lg"
        onChange={(key) => {
          const chosen = key === null ? undefined : findField(object, key);
          onChange({ field: key ?? '', op: chosen === undefined ? 'set' : (opsOf(chosen)[0] ?? 'set'), value: null });
        }}
      />
      {field !== undefined && (
        <Select
          aria-label={t('jobs:dialog.op')}
          options={opsOf(field).map((op) => ({ value: op, label: t(`jobs:op.${op}`) }))}
          value={line.op}
          size="lg"
          onChange={(op) => onChange({ op: (op ?? line.op) as ChangeOp, value: null })}
        />
      )}
      <div className={css.value}>{editor}</div>
      {onRemove !== undefined && (
        <IconButton label={t('jobs:dialog.removeLine')} icon={<IconX size={15} />} onClick={onRemove} />
      )}
    </div>
  );
}
