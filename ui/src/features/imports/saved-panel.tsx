import { IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import {
  type ImportRun,
  isApiError,
  savedMappingsQuery,
  useDeleteMapping,
  useSavedMapping,
  useSaveMapping,
} from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Button, confirm, IconButton, Modal, Panel, Select, TextInput, toast } from '@/ui';
import own from './saved-panel.module.css';
import type { MappingEditor } from './use-mapping';

function SaveDialog({ run, editor, name, onDone }: Props & { name: string; onDone: () => void }) {
  const { t } = useTranslation(['importing', 'common']);
  const [text, setText] = useState(name);
  const [error, setError] = useState<string>();
  const [taken, setTaken] = useState(false);
  const save = useSaveMapping();
  const submit = async () => {
    if (text.trim() === '' || save.isPending) return;
    if (!(await editor.flush())) {
      setError(t('importing:saveFirst'));
      return;
    }
    try {
      await save.mutateAsync({ id: run.id, name: text.trim(), replace: taken });
      toast.ok(t('importing:savedAs', { name: text.trim() }));
      onDone();
    } catch (problem) {
      setTaken(isApiError(problem, 422) && problem.fields.some(({ code }) => code === 'import.saved_name_taken'));
      const fields = isApiError(problem, 422) ? problem.fields.map(({ message }) => message).join(' ') : '';
      setError(fields !== '' ? fields : (problem as Error).message);
    }
  };
  return (
    <Modal
      opened
      onClose={onDone}
      title={t('importing:saveTitle')}
      footer={
        <>
          <Button onClick={onDone}>{t('common:cancel')}</Button>
          <Button kind="primary" disabled={text.trim() === ''} loading={save.isPending} onClick={submit}>
            {taken ? t('importing:replace') : t('common:save')}
          </Button>
        </>
      }
    >
      <TextInput
        label={t('importing:saveName')}
        description={t('importing:saveHelp')}
        value={text}
        error={error}
        onChange={(next) => {
          setText(next);
          setTaken(false);
          setError(undefined);
        }}
        onEnter={submit}
      />
    </Modal>
  );
}

interface Props {
  run: ImportRun;
  editor: MappingEditor;
}
/** Mappings that were saved by name: take one, save this one, delete one. */
export function SavedPanel({ run, editor }: Props) {
  const { t } = useTranslation('importing');
  const fmt = useFormat();
  const [saving, setSaving] = useState(false);
  const { data } = useQuery(savedMappingsQuery(run.object));
  const use = useSavedMapping();
  const remove = useDeleteMapping();
  const items = data?.items ?? [];
  const current = items.find(({ id }) => id === run.saved);
  const take = async (saved: string) => {
    try {
      const next = await use.mutateAsync({ id: run.id, saved });
      editor.load(next);
      toast.ok(t('importing:taken', { name: items.find(({ id }) => id === saved)?.name ?? '' }));
    } catch (error) {
      toast.error(t('importing:notTaken'), { detail: (error as Error).message });
    }
  };
  const drop = async () => {
    if (current === undefined) return;
    const sure = await confirm({
      title: t('importing:deleteTitle', { name: current.name }),
      text: t('importing:deleteText'),
      confirm: t('importing:delete'),
      danger: true,
    });
    if (!sure) return;
    remove.mutate({ id: current.id }, { onError: (error) => toast.error(error.message) });
  };
  return (
    <Panel title={t('importing:saved')}>
      <div className="stack">
        {items.length > 0 && (
          <div className={own.pick}>
            <Select
              aria-label={t('importing:saved')}
              placeholder={t('importing:pickSaved')}
              searchable
              options={items.map(({ id, name }) => ({ value: id, label: name }))}
              value={current?.id ?? null}
              onChange={(next) => next !== null && take(next)}
            />
            {current !== undefined && (
              <IconButton
                label={t('importing:deleteSaved', { name: current.name })}
                icon={<IconTrash size={15} />}
                onClick={drop}
              />
            )}
          </div>
        )}
        <p className={own.note}>
          {current === undefined
            ? t('importing:savedHelp')
            : t('importing:recognised', {
                by: current.created_by?.title ?? '\u2013',
                when: fmt.relative(current.updated_at),
              })}
        </p>
        <Button onClick={() => setSaving(true)}>
          {current === undefined ? t('importing:saveAs') : t('importing:saveAgain')}
        </Button>
      </div>
      {saving && <SaveDialog run={run} editor={editor} name={current?.name ?? ''} onDone={() => setSaving(false)} />}
    </Panel>
  );
}
