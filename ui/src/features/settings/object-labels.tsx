import type { ReactNode } from 'react';
import { LANGUAGES, type Label, useLanguage, useTranslation } from '@/i18n';
import { TextInput } from '@/ui';
import css from './object.module.css';

interface Props {
  /** What is named: "名称", "说明". The language is added. */
  name: string;
  value: Label;
  onChange: (value: Label) => void;
  error?: ReactNode;
  required?: boolean;
  autoFocus?: boolean;
  maxLength?: number;
}

/** One text in both languages, the person's own first. One is enough: it stands in for the other. */
export function LabelInput({ name, value, onChange, error, required, autoFocus, maxLength = 80 }: Props) {
  const { t } = useTranslation('shape');
  const own = useLanguage();
  const languages = [own, ...LANGUAGES.filter((each) => each !== own)];
  return (
    <div className={css.pair}>
      {languages.map((language, at) => (
        <TextInput
          key={language}
          label={t(`shape:in.${language}`, { name })}
          value={value[language] ?? ''}
          onChange={(text) => onChange({ ...value, [language]: text })}
          maxLength={maxLength}
          {...(at === 0 && { error, required: required === true, autoFocus: autoFocus === true })}
          {...(at > 0 && { placeholder: value[own] || t('shape:in.other') })}
        />
      ))}
    </div>
  );
}
