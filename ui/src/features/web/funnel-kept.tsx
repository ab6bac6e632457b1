import { IconDeviceFloppy, IconTrash } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { deleteWebFunnel, errorText, saveWebFunnel, type WebFunnel, type WebSavedFunnel, webFunnelsQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { Button, confirm, IconButton, Modal, Select, TextInput, toast } from '@/ui';
import css from './web.module.css';

interface Props {
  draft: WebFunnel;
  /** The one that was opened last. */
  chosen: string | null;
  onChoose: (funnel: WebSavedFunnel | null) => void;
}

function NameDialog({
  draft,
  onClose,
  onSaved,
}: {
  draft: WebFunnel;
  onClose: () => void;
  onSaved: (one: WebSavedFunnel) => void;
}) {
  const { t } = useTranslation(['web', 'common']);
  const [name, setName] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const save = async () => {
    setBusy(true);
    try {
      onSaved(await saveWebFunnel(name, draft));
    } catch (error) {
      setProblem(errorText(error));
      setBusy(false);
    }
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('web:keepFunnel')}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" loading={busy} disabled={name.trim() === ''} onClick={save}>
            {t('common:save')}
          </Button>
        </>
      }
    >
      <TextInput
        label={t('web:funnelName')}
        value={name}
        onChange={setName}
        maxLength={100}
        autoFocus
        error={problem}
        onEnter={() => name.trim() !== '' && save()}
      />
    </Modal>
  );
}

/** Funnels under a name: open one, keep this one, change or forget one's own. */
export function KeptFunnels({ draft, chosen, onChoose }: Props) {
  const { t } = useTranslation(['web', 'common']);
  const client = useQueryClient();
  const { data } = useQuery(webFunnelsQuery());
  const [naming, setNaming] = useState(false);
  const list = data?.items ?? [];
  const now = list.find((one) => one.id === chosen);
  const fresh = () => client.invalidateQueries(webFunnelsQuery());
  const saved = async (one: WebSavedFunnel) => {
    await fresh();
    setNaming(false);
    onChoose(one);
    toast.ok(t('web:funnelKept', { name: one.name }));
  };
  const attempt = async (act: () => Promise<void>) => {
    try {
      await act();
    } catch (error) {
      toast.error(errorText(error));
      await fresh();
    }
  };
  const forget = async (one: WebSavedFunnel) => {
    const yes = await confirm({
      title: t('web:forgetFunnel', { name: one.name }),
      confirm: t('common:delete'),
      danger: true,
    });
    if (!yes) return;
    await attempt(async () => {
      await deleteWebFunnel(one.id);
      await fresh();
      onChoose(null);
    });
  };
  return (
    <span className={css.buttons}>
      {list.length > 0 && (
        <Select
          aria-label={t('web:keptFunnels')}
          placeholder={t('web:keptFunnels')}
          searchable
          value={now === undefined ? null : now.id}
          onChange={(id) => onChoose(list.find((one) => one.id === id) ?? null)}
          options={list.map((one) => ({ value: one.id, label: one.name }))}
        />
      )}
      {now?.edit === true && (
        <Button
          icon={<IconDeviceFloppy size={15} />}
          disabled={JSON.stringify(now.funnel) === JSON.stringify(draft)}
          onClick={() => attempt(async () => saved(await saveWebFunnel(now.name, draft, now)))}
        >
          {t('web:overwrite')}
        </Button>
      )}
      <Button onClick={() => setNaming(true)}>{t('web:keepAs')}</Button>
      {now?.edit === true && (
        <IconButton
          label={t('web:forgetFunnel', { name: now.name })}
          icon={<IconTrash size={16} />}
          onClick={() => forget(now)}
        />
      )}
      {naming && <NameDialog draft={draft} onClose={() => setNaming(false)} onSaved={saved} />}
    </span>
  );
}
