import { useTranslation } from '@/i18n';
import { MultiSelect, NumberInput } from '@/ui';
import css from './object.module.css';
import { hasMember } from './object-draft';
import type { FormProps } from './object-field-form';

const KINDS = ['image', 'pdf', 'document', 'spreadsheet', 'presentation', 'text', 'audio', 'video', 'archive'] as const;
const MOST = 50;
const LARGEST = 1024;

/** How many files a field holds, of which kinds, and how large they may be. */
export function FileMembers({ draft, onChange, objections }: FormProps) {
  const { t } = useTranslation('shape');
  return (
    <>
      <div className={css.pair}>
        <NumberInput
          label={t(draft.type === 'image' ? 'shape:files.mostPictures' : 'shape:files.most')}
          description={t('shape:files.mostHelp')}
          value={draft.max}
          onChange={(max) => onChange({ max: max ?? 1 })}
          min={1}
          max={MOST}
          decimals={0}
          error={objections.at('max')}
        />
        <NumberInput
          label={t('shape:files.largest')}
          description={t('shape:files.largestHelp')}
          value={draft.max_mb === 0 ? null : draft.max_mb}
          onChange={(max_mb) => onChange({ max_mb })}
          min={1}
          max={LARGEST}
          decimals={0}
          placeholder={t('shape:field.noLimit')}
          error={objections.at('max_mb')}
        />
      </div>
      {hasMember(draft.type, 'kinds') && (
        <MultiSelect
          label={t('shape:files.kinds')}
          description={t('shape:files.kindsHelp')}
          value={draft.kinds}
          onChange={(kinds) => onChange({ kinds })}
          options={KINDS.map((kind) => ({ value: kind, label: t(`shape:files.kind.${kind}`) }))}
          placeholder={t('shape:files.any')}
          error={objections.within('kinds')}
        />
      )}
    </>
  );
}
