import type { ReactNode } from 'react';
import { useFormat, useTranslation } from '@/i18n';
import { Button, TextInput } from '@/ui';
import css from './object.module.css';
import { patternExample } from './object-pattern-example';

const PARTS = ['{yyyy}', '{yyyymmdd}', '{mm}', '{dd}', '{0000}'];

interface Props {
  value: string;
  onChange: (value: string) => void;
  error?: ReactNode;
}

/** The pattern of an automatic number, with the parts to press and what the next numbers look like. */
export function PatternInput({ value, onChange, error }: Props) {
  const { t } = useTranslation('shape');
  const { today } = useFormat();
  const example = patternExample(value, today());
  return (
    <div>
      <TextInput
        label={t('shape:pattern.label')}
        description={t('shape:pattern.help')}
        value={value}
        onChange={onChange}
        error={error ?? (example === null && t('shape:pattern.wrong'))}
      />
      <div className={css.parts}>
        {PARTS.map((part) => (
          <Button
            key={part}
            kind="subtle"
            title={t(`shape:pattern.part.${part.slice(1, -1)}`)}
            onClick={() => onChange(value + part)}
          >
            <code>{part}</code>
          </Button>
        ))}
      </div>
      {example !== null && (
        <p className={css.example} role="status">
          {t('shape:pattern.example')} <code>{example}</code> <code>{patternExample(value, today(), 2)}</code>
        </p>
      )}
    </div>
  );
}
