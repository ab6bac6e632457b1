import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { type Clusters, clustersToClasses } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Button, ErrorState, Modal, TextInput } from '@/ui';
import css from './clusters.module.css';
import { useWords } from './words';

/** Names for the groups, and a classification of them. */
export function SaveClasses({ data, onClose }: { data: Clusters; onClose: () => void }) {
  const { t } = useTranslation('clusters');
  const fmt = useFormat();
  const words = useWords(data);
  const navigate = useNavigate();
  const client = useQueryClient();
  const [label, setLabel] = useState(t('clusters:save.label'));
  const [names, setNames] = useState<Record<string, string>>(() =>
    Object.fromEntries(data.groups.map((group) => [group.key, words.title(group)])),
  );
  const save = useMutation({
    mutationFn: () => clustersToClasses(label, names),
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ['classifications'] });
      navigate({ to: '/classifications/$key', params: { key: made.key } });
    },
  });
  return (
    <Modal title={t('clusters:toClasses')} onClose={onClose} opened>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <p className={css.quiet}>{t('clusters:save.means')}</p>
        <TextInput label={t('clusters:save.name')} required value={label} onChange={setLabel} />
        {data.groups.map((group) => (
          <TextInput
            key={group.key}
            label={t('clusters:save.group', { number: group.number, shown: fmt.number(group.count) })}
            required
            value={names[group.key] ?? ''}
            onChange={(next) => setNames({ ...names, [group.key]: next })}
          />
        ))}
        {save.error !== null && <ErrorState compact error={save.error} />}
        <div className={css.buttons}>
          <Button onClick={onClose}>{t('clusters:save.cancel')}</Button>
          <Button kind="primary" type="submit" loading={save.isPending}>
            {t('clusters:save.make')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
