import css from './kbd.module.css';

const apple = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform);
const SIGNS: Record<string, string> = {
  mod: apple ? '\u2318' : 'Ctrl',
  shift: apple ? '\u21e7' : 'Shift',
  alt: apple ? '\u2325' : 'Alt',
  enter: 'Enter',
  esc: 'Esc',
  up: '\u2191',
  down: '\u2193',
};

/** "mod+k" as ⌘K or Ctrl K; "g c" as two keys one after the other. */
export function Kbd({ keys }: { keys: string }) {
  return (
    <span className={css.keys}>
      {keys.split(' ').map((combo, at) => (
        <kbd key={at} className={css.kbd}>
          {combo
            .split('+')
            .map((key) => SIGNS[key] ?? key.toUpperCase())
            .join(apple ? '' : ' ')}
        </kbd>
      ))}
    </span>
  );
}
