import { useQuery } from '@tanstack/react-query';
import { type BulkOrder, errorText, type Field, type ObjectType, previewBulk } from '@/api';
import { FieldView, useFieldContext } from '@/fields';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useDebounced } from '@/lib/hooks';
import { findField } from '@/metadata';
import { Skeleton } from '@/ui';
import css from './mass.module.css';

/** What an order would do: the exact count, and the first records before and after. */
export function usePreview(object: ObjectType, order: BulkOrder | null) {
  const asked = useDebounced(JSON.stringify(order), 350);
  return useQuery({
    queryKey: ['bulk-preview', object.key, asked],
    queryFn: ({ signal }) => previewBulk(object.key, JSON.parse(asked) as BulkOrder, signal),
    enabled: asked !== 'null',
    placeholderData: (old) => old,
    retry: false,
    gcTime: 0,
  });
}

interface Props {
  object: ObjectType;
  preview: ReturnType<typeof usePreview>;
}

export function Preview({ object, preview }: Props) {
  const { t } = useTranslation('jobs');
  const fmt = useFormat();
  const label = useLabel();
  const context = useFieldContext();
  if (preview.isError)
    return (
      <div className={css.problem} role="alert">
        {errorText(preview.error)}
      </div>
    );
  if (preview.data === undefined)
    return preview.fetchStatus === 'idle' ? (
      <p className="muted">{t('jobs:preview.choose')}</p>
    ) : (
      <Skeleton height={120} />
    );
  const { count, items } = preview.data;
  const show = (field: Field, value: unknown) =>
    value === null || value === undefined ? (
      <span className="muted">{t('jobs:preview.nothing')}</span>
    ) : (
      <FieldView field={field} value={value} context={context} />
    );
  return (
    <section
      className={css.preview}
      aria-label={t('jobs:preview.title')}
      data-old={preview.isPlaceholderData || undefined}
    >
      <p className={css.count} aria-live="polite">
        {t('jobs:preview.count', { count, text: fmt.number(count) })}
      </p>
      <ul>
        {items.map((item) => (
          <li key={item.id}>
            <strong className="truncate">{item.title}</strong>
            {item.error !== null && <span className={css.bad}>{item.error.detail ?? item.error.title}</span>}
            {item.error === null && item.same && <span className="muted">{t('jobs:preview.same')}</span>}
            {item.error === null &&
              !item.same &&
              Object.keys(item.after).map((key) => {
                const field = findField(object, key);
                if (field === undefined) return null;
                return (
                  <span key={key} className={css.change}>
                    <span className="muted">{label(field.label, key)}</span>
                    <span className={css.before}>{show(field, item.before[key])}</span>
                    <span aria-hidden>→</span>
                    <span className="sr-only">{t('jobs:preview.becomes')}</span>
                    <span>{show(field, item.after[key])}</span>
                  </span>
                );
              })}
          </li>
        ))}
      </ul>
      {count > items.length && <p className="muted">{t('jobs:preview.first', { count: items.length })}</p>}
    </section>
  );
}
