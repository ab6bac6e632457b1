import { useState } from 'react';
import { useTranslation } from '@/i18n';
import { HUES, toHue } from '@/lib/hue';
import { Popover } from '@/ui';
import { hueFill } from '@/ui/chart';
import css from './classifications.module.css';

interface Props {
  value: string;
  onChange: (color: string) => void;
  label: string;
  disabled: boolean;
}
/** The nine hues behind a swatch. */
export function ColorPicker({ value, onChange, label, disabled }: Props) {
  const { t } = useTranslation('classifications');
  const [opened, setOpened] = useState(false);
  const hue = toHue(value);
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      width={176}
      target={
        <button
          type="button"
          className={css.swatch}
          style={{ background: hueFill(hue) }}
          aria-label={`${label}: ${t(`classifications:hue.${hue}`)}`}
          aria-expanded={opened}
          disabled={disabled}
          onClick={() => setOpened(!opened)}
        />
      }
    >
      <div className={css.hues} role="radiogroup" aria-label={label}>
        {HUES.map((each) => (
          <label key={each} className={css.hue} title={t(`classifications:hue.${each}`)}>
            <input
              type="radio"
              name={label}
              className="sr-only"
              aria-label={t(`classifications:hue.${each}`)}
              checked={each === hue}
              onChange={() => onChange(each)}
              onClick={() => setOpened(false)}
            />
            <span style={{ background: hueFill(each) }} />
          </label>
        ))}
      </div>
    </Popover>
  );
}
