import { useQuery } from '@tanstack/react-query';
import { type FieldUse, usesQuery } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { findObject, useObjects } from '@/metadata';
import { ErrorState, Modal, SkeletonRows } from '@/ui';
import css from './object.module.css';

/** What names a field, each by its kind and name. */
export function UseList({ uses }: { uses: readonly FieldUse[] }) {
  const { t } = useTranslation('convert');
  const label = useLabel();
  const objects = useObjects();
  return (
    <ul className={css.uses}>
      {uses.map((use) => (
        <li key={`${use.kind}:${use.object ?? ''}:${use.key ?? label(use.name)}`}>
          <span className="muted">{t(`convert:kind.${use.kind}`)}</span>{' '}
          {use.object !== undefined && use.object !== '' && (
            <span className="muted">
              {label(findObject(objects, use.object)?.label, use.object)} {'\u00b7'}{' '}
            </span>
          )}
          {label(use.name, use.key ?? '')}
        </li>
      ))}
    </ul>
  );
}

/** Where a field is used, asked when somebody wants to know. */
export function UsesDialog({
  object,
  field,
  name,
  onClose,
}: {
  object: string;
  field: string;
  name: string;
  onClose: () => void;
}) {
  const { t } = useTranslation('convert');
  const { data, error, refetch } = useQuery(usesQuery(object, field));
  const body = () => {
    if (error !== null) return <ErrorState error={error} onRetry={() => refetch()} compact />;
    if (data === undefined) return <SkeletonRows rows={3} />;
    if (data.items.length === 0) return <p>{t('convert:usedNowhere')}</p>;
    return <UseList uses={data.items} />;
  };
  return (
    <Modal opened onClose={onClose} title={t('convert:usedTitle', { name })}>
      {body()}
    </Modal>
  );
}
