import { MERGE_PREFER, type MergePrefer } from '@/api';
import { useTranslation } from '@/i18n';
import { SegmentedControl } from '@/ui';
import css from './merge.module.css';

/** Whose values are taken where the records do not agree and nobody chose. */
export function MergeRules({ prefer, onPrefer }: { prefer: MergePrefer; onPrefer: (prefer: MergePrefer) => void }) {
  const { t } = useTranslation('merge');
  return (
    <div className={css.rules}>
      <span className="muted">{t('merge:prefer.label')}</span>
      <SegmentedControl
        label={t('merge:prefer.label')}
        value={prefer}
        onChange={onPrefer}
        options={MERGE_PREFER.map((value) => ({ value, label: t(`merge:prefer.${value}`) }))}
      />
    </div>
  );
}
