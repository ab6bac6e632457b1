import { asText } from '../base/value-text';
import { defineKind, OPS } from '../kind';

const SAFE = /^https?:\/\//i;

export const urlKind = defineKind({
  type: 'url',
  width: 200,
  operators: OPS.text,
  text: asText,
  display(value) {
    const text = asText(value);
    if (!SAFE.test(text)) return text;
    return (
      <a href={text} target="_blank" rel="noopener noreferrer" tabIndex={-1}>
        {text.replace(SAFE, '').replace(/\/$/, '')}
      </a>
    );
  },
});
