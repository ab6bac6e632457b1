import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { type Segment, type SimilarCustomers, useSimilar } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, EmptyState, Modal, NumberInput, SkeletonRows, TextInput, toast } from '@/ui';
import css from './compare.module.css';

function Learned({ found }: { found: SimilarCustomers }) {
  const { t } = useTranslation('segments');
  const fmt = useFormat();
  const label = useLabel();
  if (!found.ok)
    return <EmptyState compact cause="none" title={t('segments:similar.few')} text={t('segments:similar.fewText')} />;
  const said = (reason: SimilarCustomers['reasons'][number]): string => {
    const name = label(reason.label);
    if (reason.missing) return t(reason.weight > 0 ? 'segments:similar.without' : 'segments:similar.with', { name });
    if (reason.value !== undefined)
      return t(reason.weight > 0 ? 'segments:similar.is' : 'segments:similar.isNot', {
        name,
        value: label(reason.value),
      });
    return t(reason.weight > 0 ? 'segments:similar.high' : 'segments:similar.low', { name });
  };
  return (
    <>
      <p>
        {t('segments:similar.trust', { share: fmt.percent(found.auc, 0), rows: fmt.number(found.rows) })}{' '}
        {found.auc < 0.65 && t('segments:similar.weak')}
      </p>
      <h3 className={css.sub}>{t('segments:similar.why')}</h3>
      <ul className={css.reasons}>
        {found.reasons.map((reason) => (
          <li key={`${reason.key}${label(reason.value)}${reason.missing}`}>{said(reason)}</li>
        ))}
      </ul>
      <h3 className={css.sub}>{t('segments:similar.first', { count: found.sample.length })}</h3>
      <p>{found.sample.map(({ title }) => title).join(t('segments:similar.comma'))}</p>
    </>
  );
}

/** Customers outside of a segment who are most like its members, to be saved as a list. */
export function SimilarDialog({ segment, onClose }: { segment: Segment; onClose: () => void }) {
  const { t } = useTranslation(['segments', 'common']);
  const navigate = useNavigate();
  const can = useCan();
  const look = useSimilar();
  const save = useSimilar();
  const [count, setCount] = useState<number | null>(100);
  const [label, setLabel] = useState(t('segments:similar.name', { name: segment.label }));
  const { mutate } = look;
  useEffect(() => mutate({ key: segment.key, count: 100 }), [mutate, segment.key]);
  const submit = () =>
    save.mutate(
      { key: segment.key, count: count ?? 100, label: label.trim() },
      {
        onSuccess: ({ segment: saved }) => {
          if (saved === null) return;
          toast.ok(t('segments:saved', { name: saved.label }));
          onClose();
          navigate({ to: '/segments/$key', params: { key: saved.key }, search: {} });
        },
        onError: (error) => toast.error(error.message),
      },
    );
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('segments:similar.title', { name: segment.label })}
      size={520}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          {can('segment.write') && (
            <Button
              kind="primary"
              loading={save.isPending}
              disabled={look.data?.ok !== true || count === null || label.trim() === ''}
              onClick={submit}
            >
              {t('segments:similar.save')}
            </Button>
          )}
        </>
      }
    >
      <div className="stack">
        <p className="muted">{t('segments:similar.help')}</p>
        {look.isPending && <SkeletonRows rows={4} />}
        {look.error !== null && <p role="alert">{look.error.message}</p>}
        {look.data !== undefined && <Learned found={look.data} />}
        {look.data?.ok === true && can('segment.write') && (
          <>
            <NumberInput
              label={t('segments:similar.count')}
              value={count}
              min={1}
              max={100_000}
              decimals={0}
              onChange={setCount}
            />
            <TextInput label={t('segments:name')} value={label} maxLength={80} onChange={setLabel} />
          </>
        )}
      </div>
    </Modal>
  );
}
