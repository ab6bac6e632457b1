import type { Label } from '@/i18n';
import { useTranslation } from '@/i18n';
import { TextInput } from '@/ui';
import { type Objections, plural } from './object-draft';
import { LabelInput } from './object-labels';

export interface Names {
  label: Label;
  plural: Label;
}

/** Chinese has no plural: only the English one is asked for, and guessed when it is left empty. */
export function pluralOf({ label, plural: given }: Names): Label {
  const en = given.en?.trim() || (label.en?.trim() ? plural(label.en) : '');
  const zh = label['zh-CN']?.trim() ?? '';
  return { ...(zh !== '' && { 'zh-CN': zh }), ...(en !== '' && { en }) };
}

interface Props {
  value: Names;
  onChange: (value: Names) => void;
  objections: Objections;
  autoFocus?: boolean;
}

export function NamesInput({ value, onChange, objections, autoFocus }: Props) {
  const { t } = useTranslation('shape');
  return (
    <>
      <LabelInput
        name={t('shape:object.name')}
        value={value.label}
        onChange={(label) => onChange({ ...value, label })}
        error={objections.at('label')}
        required
        autoFocus={autoFocus === true}
      />
      {(value.label.en ?? '').trim() !== '' && (
        <TextInput
          label={t('shape:object.plural')}
          placeholder={plural(value.label.en ?? '')}
          value={value.plural.en ?? ''}
          onChange={(en) => onChange({ ...value, plural: { ...value.plural, en } })}
          maxLength={80}
          error={objections.at('plural')}
        />
      )}
    </>
  );
}
