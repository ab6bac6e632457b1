import { type KeyboardEvent, useRef } from 'react';
import { labelText, useLanguage, useTranslation } from '@/i18n';
import { editorKeys } from '../base/text-editor';
import type { EditorProps } from '../kind';
import css from './rating.module.css';

const MOST = 5;

/** Stars: a click or the arrow keys choose, the chosen one again clears. */
export function RatingEditor(props: EditorProps) {
  const { field, value, onChange, label, error, inCell, disabled } = props;
  const { t } = useTranslation('fields');
  const language = useLanguage();
  const box = useRef<HTMLDivElement>(null);
  const stars = typeof value === 'number' ? value : 0;
  const most = field.max ?? MOST;
  const choose = (next: number) => {
    onChange(next === 0 ? null : next);
    box.current?.querySelectorAll('button')[Math.max(next - 1, 0)]?.focus();
  };
  const keys = editorKeys(props);
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      choose(Math.min(Math.max(stars + step, 0), most));
    } else if (event.key === 'Delete' || event.key === 'Backspace') choose(0);
    else keys(event);
  };
  const name = props['aria-label'] ?? labelText(field.label, language, field.key);
  return (
    <div className="stack">
      {inCell !== true && label !== undefined && <span>{label}</span>}
      <div ref={box} role="radiogroup" aria-label={name} className={css.choice}>
        {Array.from({ length: most }, (_, at) => at + 1).map((star) => (
          // biome-ignore lint/a11y/useSemanticElements: a star is a button that takes its choice back
          <button
            key={star}
            type="button"
            role="radio"
            aria-checked={stars === star}
            aria-label={t('fields:rating.stars', { count: star })}
            className={css.star}
            data-on={star <= stars || undefined}
            disabled={disabled === true}
            tabIndex={star === Math.max(stars, 1) ? 0 : -1}
            onClick={() => choose(star === stars ? 0 : star)}
            onKeyDown={onKeyDown}
          >
            {'\u2605'}
          </button>
        ))}
      </div>
      {error !== undefined && <span role="alert">{error}</span>}
    </div>
  );
}
