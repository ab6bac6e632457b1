import type { ClassificationPreview, ClassRule } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { Panel } from '@/ui';
import { StackBar } from '@/ui/chart';
import css from './classifications.module.css';

interface Props {
  classes: readonly ClassRule[];
  original: readonly ClassRule[];
  preview: ClassificationPreview | undefined;
  dirty: boolean;
  waiting: boolean;
  error: string | null;
}

/** Before and after as two bars, and how many would move. */
export function Effect({ classes, original, preview, dirty, waiting, error }: Props) {
  const { t } = useTranslation('classifications');
  const fmt = useFormat();
  const label = useLabel();
  const after = new Map(preview?.classes.map((each) => [each.key, each.count]));
  const parts = (rules: readonly ClassRule[], count: (rule: ClassRule) => number) =>
    rules.map((rule) => ({ key: rule.key, label: label(rule.label, rule.key), color: rule.color, value: count(rule) }));
  const bar = (name: string, rules: ReturnType<typeof parts>) => (
    <div className={css.effectRow}>
      <span className={css.effectName}>{name}</span>
      <div className="grow">
        <StackBar
          height={16}
          parts={rules}
          label={`${name}: ${rules.map((part) => `${part.label} ${fmt.number(part.value)}`).join(', ')}`}
        />
      </div>
    </div>
  );
  return (
    <Panel>
      <div className={css.effect} data-dim={(dirty && waiting) || undefined}>
        {bar(
          t('classifications:now'),
          parts(original, (rule) => rule.count ?? 0),
        )}
        {dirty &&
          preview !== undefined &&
          bar(
            t('classifications:then'),
            parts(classes, (rule) => after.get(rule.key) ?? 0),
          )}
        <p className={css.effectText} aria-live="polite">
          {error !== null && <span className={css.fault}>{error}</span>}
          {error === null && !dirty && <span className="muted">{t('classifications:unchanged')}</span>}
          {error === null && dirty && preview !== undefined && (
            <>
              <strong>
                {t('classifications:willMove', { count: preview.moved, shown: fmt.number(preview.moved) })}
              </strong>{' '}
              <span className="muted">{t('classifications:took', { took: fmt.duration(preview.seconds) })}</span>
            </>
          )}
        </p>
      </div>
    </Panel>
  );
}
