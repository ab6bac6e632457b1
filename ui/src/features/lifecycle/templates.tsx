import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import {
  type Classification,
  classificationPreviewQuery,
  classificationsQuery,
  errorText,
  type StageTemplate,
  stageTemplatesQuery,
  useSaveClassification,
} from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { Button, ErrorState, Modal, SkeletonRows, toast } from '@/ui';
import { StackBar, Swatch } from '@/ui/chart';
import { Toolbar } from '@/ui/figures';
import css from './lifecycle.module.css';

interface ChoiceProps {
  template: StageTemplate;
  lifecycle: Classification;
  onDone: () => void;
}
/** A set of stages with what it would do to everyone. */
function Choice({ template, lifecycle, onDone }: ChoiceProps) {
  const { t } = useTranslation('lifecycle');
  const fmt = useFormat();
  const label = useLabel();
  const [shown, setShown] = useState(false);
  const classes = template.classes.map(({ key, label: words, color, where, rank, phase }) => ({
    key,
    label: words,
    color,
    where,
    ...(rank !== undefined && { rank }),
    ...(phase !== undefined && phase !== '' && { phase }),
  }));
  const preview = useQuery(classificationPreviewQuery(lifecycle.key, shown ? classes : null));
  const save = useSaveClassification(lifecycle.key);
  const counts = new Map(preview.data?.classes.map((each) => [each.key, each.count]));
  const byRank = template.classes.toSorted((left, right) => (left.rank ?? 0) - (right.rank ?? 0));
  const install = () =>
    save.mutate(
      { classes, version: lifecycle.version },
      {
        onSuccess: () => {
          toast.ok(t('lifecycle:installed', { name: label(template.label) }));
          onDone();
        },
        onError: (error) => toast.error(t('lifecycle:notInstalled'), { detail: errorText(error) }),
      },
    );
  return (
    <section className={css.template} aria-label={label(template.label)}>
      <h3>{label(template.label)}</h3>
      <p className="muted">{label(template.description)}</p>
      <div className={css.legend}>
        {byRank.map((each) => (
          <Swatch key={each.key} color={each.color}>
            {label(each.label)} {shown && preview.data !== undefined && fmt.number(counts.get(each.key) ?? 0)}
          </Swatch>
        ))}
      </div>
      {shown && preview.error !== null && <p role="alert">{errorText(preview.error)}</p>}
      {shown && preview.data !== undefined && (
        <>
          <StackBar
            height={14}
            label={t('lifecycle:then')}
            parts={byRank.map((each) => ({
              key: each.key,
              label: label(each.label),
              color: each.color,
              value: counts.get(each.key) ?? 0,
            }))}
          />
          <p className="muted">
            {t('lifecycle:willMove', { count: preview.data.moved, shown: fmt.number(preview.data.moved) })}
          </p>
        </>
      )}
      <Toolbar>
        {!shown && <Button onClick={() => setShown(true)}>{t('lifecycle:preview')}</Button>}
        {shown && (
          <Button kind="primary" disabled={preview.data === undefined} loading={save.isPending} onClick={install}>
            {t('lifecycle:install')}
          </Button>
        )}
      </Toolbar>
    </section>
  );
}

/** Sets of stages to make the lifecycle of. */
export function Templates({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('lifecycle');
  const { data, error, refetch } = useQuery(stageTemplatesQuery());
  const classes = useQuery(classificationsQuery());
  const lifecycle = classes.data?.items.find((each) => each.key === 'lifecycle');
  return (
    <Modal opened onClose={onClose} title={t('lifecycle:templates')} size={680}>
      <p className="muted">{t('lifecycle:templatesText')}</p>
      {data === undefined && error === null && <SkeletonRows rows={6} />}
      {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
      {lifecycle !== undefined &&
        data?.items.map((template) => (
          <Choice key={template.key} template={template} lifecycle={lifecycle} onDone={onClose} />
        ))}
    </Modal>
  );
}
