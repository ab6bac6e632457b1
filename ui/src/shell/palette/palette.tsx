import { IconSearch } from '@tabler/icons-react';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { createPortal } from 'react-dom';
import { useTranslation } from '@/i18n';
import { isComposing, Kbd } from '@/ui';
import { closeOverlay } from '../overlays';
import { type PaletteEntry, usePaletteSections } from './entries';
import css from './palette.module.css';

/** One input for going, searching and doing. No opening animation: it must be there at the press of the key. */
export function Palette() {
  const { t } = useTranslation(['shell', 'palette']);
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const before = useRef(document.activeElement);
  const { sections, searching } = usePaletteSections(query);
  const entries = sections.flatMap((section) => section.entries);
  const chosen = Math.min(at, Math.max(0, entries.length - 1));

  useEffect(() => {
    const opener = before.current;
    return () => {
      if (opener instanceof HTMLElement && document.activeElement === document.body) opener.focus();
    };
  }, []);
  useEffect(() => {
    list.current?.querySelector(`[data-at="${chosen}"]`)?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);

  const run = (entry: PaletteEntry | undefined) => {
    if (entry === undefined) return;
    closeOverlay();
    entry.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    if (event.key === 'Escape') {
      event.stopPropagation();
      if (query === '') closeOverlay();
      else setQuery('');
    } else if (event.key === 'ArrowDown' || (event.key === 'n' && event.ctrlKey))
      setAt((chosen + 1) % Math.max(1, entries.length));
    else if (event.key === 'ArrowUp' || (event.key === 'p' && event.ctrlKey))
      setAt((chosen - 1 + entries.length) % Math.max(1, entries.length));
    else if (event.key === 'Enter') run(entries[chosen]);
    else if (event.key !== 'Tab') return;
    event.preventDefault();
  };

  let number = -1;
  return createPortal(
    // biome-ignore lint/a11y/noStaticElementInteractions: a press beside the box closes it; Esc does the same
    <div className={css.scrim} onMouseDown={(event) => event.target === event.currentTarget && closeOverlay()}>
      <div
        className={css.box}
        role="dialog"
        aria-modal="true"
        aria-label={t('shell:palette.open')}
        onKeyDown={onKeyDown}
      >
        <div className={css.input}>
          <IconSearch size={17} aria-hidden />
          <input
            // biome-ignore lint/a11y/noAutofocus: a palette is an input that the person just called
            autoFocus
            role="combobox"
            aria-expanded
            aria-controls="palette-list"
            aria-activedescendant={entries.length > 0 ? `palette-${chosen}` : undefined}
            aria-label={t('palette:placeholder')}
            placeholder={t('palette:placeholder')}
            value={query}
            onChange={(event) => {
              setQuery(event.currentTarget.value);
              setAt(0);
            }}
            autoComplete="off"
            spellCheck={false}
          />
        </div>
        <div ref={list} id="palette-list" className={css.list} role="listbox" aria-label={t('palette:results')}>
          {sections.map((section) => (
            // biome-ignore lint/a11y/useSemanticElements: a group of options inside a listbox
            <div key={section.key} role="group" aria-label={t(`palette:${section.key}`)}>
              <div className={css.heading}>{t(`palette:${section.key}`)}</div>
              {section.entries.map((entry) => {
                number += 1;
                const mine = number;
                return (
                  <div
                    key={entry.id}
                    id={`palette-${mine}`}
                    data-at={mine}
                    role="option"
                    aria-selected={mine === chosen}
                    tabIndex={-1}
                    className={css.entry}
                    onMouseMove={() => mine !== chosen && setAt(mine)}
                    onClick={() => run(entry)}
                    onKeyDown={undefined}
                  >
                    <span className={css.icon}>{entry.icon}</span>
                    <span className="truncate">{entry.label}</span>
                    <span className={css.hint}>{entry.hint}</span>
                    {entry.keys !== undefined && <Kbd keys={entry.keys} />}
                  </div>
                );
              })}
            </div>
          ))}
          {entries.length === 0 && (
            <div className={css.none} role="status">
              {searching ? t('palette:searching') : t('palette:nothing', { query })}
            </div>
          )}
        </div>
        <div className={css.foot}>
          <Kbd keys="up" /> <Kbd keys="down" /> {t('palette:move')}
          <Kbd keys="enter" /> {t('palette:choose')}
          <Kbd keys="esc" /> {t('palette:leave')}
        </div>
      </div>
    </div>,
    document.body,
  );
}
