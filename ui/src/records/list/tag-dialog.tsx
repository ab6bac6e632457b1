import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { recordPageQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { Button, Modal, TagsInput } from '@/ui';

interface Props {
  count: string;
  onClose: () => void;
  onApply: (add: string[], remove: string[]) => void;
}

export function TagDialog({ count, onClose, onApply }: Props) {
  const { t } = useTranslation(['records', 'common']);
  const known = useQuery({ ...recordPageQuery('tag', { limit: 100 }), staleTime: 60_000, retry: false });
  const suggestions = known.data?.items.map((tag) => tag.title) ?? [];
  const [add, setAdd] = useState<string[]>([]);
  const [remove, setRemove] = useState<string[]>([]);
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('records:tag.title', { text: count })}
      size={440}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button
            kind="primary"
            disabled={add.length === 0 && remove.length === 0}
            onClick={() => onApply(add, remove)}
          >
            {t('records:tag.apply')}
          </Button>
        </>
      }
    >
      <div className="stack">
        <TagsInput
          label={t('records:tag.add')}
          value={add}
          onChange={setAdd}
          suggestions={suggestions}
          placeholder={t('records:tag.placeholder')}
          size="lg"
          autoFocus
        />
        <TagsInput
          label={t('records:tag.remove')}
          value={remove}
          onChange={setRemove}
          suggestions={suggestions}
          size="lg"
        />
      </div>
    </Modal>
  );
}
