import type { DuplicateMatches, ObjectType } from '@/api';
import { labelText, useLanguage, useTranslation } from '@/i18n';
import { Button, Modal } from '@/ui';
import { MatchList } from './match-list';

interface Props {
  object: ObjectType;
  found: DuplicateMatches;
  busy?: boolean;
  /** What saving nevertheless is called: "create anyway". */
  anyway: string;
  onAnyway: () => void;
  onCompare?: (() => void) | undefined;
  onClose: () => void;
}

/** A record was not saved since others may be the same: overrule that, compare, or go back. */
export function DuplicateDialog({ object, found, busy = false, anyway, onAnyway, onCompare, onClose }: Props) {
  const { t } = useTranslation(['duplicates', 'common']);
  const name = labelText(object.label, useLanguage());
  return (
    <Modal
      opened
      onClose={onClose}
      title={t(found.blocked ? 'duplicates:dialog.blocked' : 'duplicates:dialog.warned', { name })}
      size={560}
      footer={
        <>
          <Button onClick={onClose}>{t('duplicates:dialog.back')}</Button>
          {!found.blocked && (
            <Button loading={busy} onClick={onAnyway}>
              {anyway}
            </Button>
          )}
          {!found.blocked && onCompare !== undefined && (
            <Button kind="primary" loading={busy} onClick={onCompare}>
              {t('duplicates:dialog.compare')}
            </Button>
          )}
        </>
      }
    >
      <p className="muted">{t(found.blocked ? 'duplicates:dialog.blockedText' : 'duplicates:dialog.warnedText')}</p>
      <MatchList object={object} matches={found.items} />
    </Modal>
  );
}
