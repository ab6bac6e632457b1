import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, useId, useRef, useState } from 'react';
import { type Field, type FormulaProblem, type FormulaResult, formulaQuery, functionsQuery, type Ref } from '@/api';
import { FieldView, RecordSelect, useFieldContext } from '@/fields';
import { useLabel, useTranslation } from '@/i18n';
import { useDebounced } from '@/lib/hooks';
import { useObjects } from '@/metadata';
import { isComposing, NumberInput, Select, Textarea } from '@/ui';
import css from './formula.module.css';
import { type Suggestion, suggest, wordAt } from './formula-words';
import type { FormProps } from './object-field-form';

const SHOWN_AS = ['number', 'percent', 'duration'] as const;
const isNumber = (type: string | undefined): boolean => (SHOWN_AS as readonly string[]).includes(type ?? '');

/** The text once more with the wrong places marked. */
function Marked({ text, problems }: { text: string; problems: readonly FormulaProblem[] }) {
  const chars = Array.from(text);
  const first = [...problems].sort((left, right) => left.from - right.from)[0];
  if (first === undefined) return null;
  const to = Math.max(first.to, first.from + 1);
  return (
    <code className={css.marked} aria-hidden>
      {chars.slice(0, first.from).join('')}
      <mark>{chars.slice(first.from, to).join('') || '\u2423'}</mark>
      {chars.slice(to).join('')}
    </code>
  );
}

interface EditorProps {
  value: string;
  onChange: (text: string) => void;
  suggestFor: (word: string) => Suggestion[];
  problems: readonly FormulaProblem[];
  error?: string | undefined;
  label: string;
}

/** A text with completion: arrows choose, Enter or Tab takes, Escape closes the list. */
export function FormulaInput({ value, onChange, suggestFor, problems, error, label }: EditorProps) {
  const { t } = useTranslation('formula');
  const list = useId();
  const box = useRef<HTMLTextAreaElement>(null);
  const [caret, setCaret] = useState<number | null>(null);
  const [chosen, setChosen] = useState(0);
  const at = caret === null ? null : wordAt(value, caret);
  const items = at === null ? [] : suggestFor(at.word);
  const open = items.length > 0 && !(items.length === 1 && items[0]?.insert === at?.word);

  const take = (item: Suggestion) => {
    if (at === null || caret === null) return;
    const end = at.from + item.insert.length - (item.call ? 1 : 0);
    onChange(value.slice(0, at.from) + item.insert + value.slice(caret));
    setCaret(null);
    requestAnimationFrame(() => {
      box.current?.focus();
      box.current?.setSelectionRange(end, end);
    });
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (!open || isComposing(event)) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setChosen((chosen + step + items.length) % items.length);
    } else if (event.key === 'Enter' || event.key === 'Tab') {
      const item = items[chosen];
      if (item === undefined) return;
      event.preventDefault();
      take(item);
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      setCaret(null);
    }
  };
  return (
    <div className={css.editor}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: where the caret is decides what is offered */}
      <div
        onInput={(event) => {
          if (event.target instanceof HTMLTextAreaElement) setCaret(event.target.selectionStart);
          setChosen(0);
        }}
        onBlur={() => setCaret(null)}
      >
        <Textarea
          ref={box}
          label={label}
          description={t('formula:hint')}
          value={value}
          onChange={onChange}
          onKeyDown={onKeyDown}
          minRows={2}
          maxRows={10}
          className={css.text ?? ''}
          placeholder={t('formula:placeholder')}
          error={problems.length > 0 ? problems.map((each) => each.message).join(' ') : error}
        />
        {open && (
          <div id={list} className={css.list} role="listbox" aria-label={t('formula:suggestions')}>
            {items.map((item, index) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the text
              // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the text
              <div
                key={item.insert}
                role="option"
                aria-selected={index === chosen}
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => take(item)}
              >
                <span>{item.title}</span>
                <code>{item.note}</code>
              </div>
            ))}
          </div>
        )}
      </div>
      <Marked text={value} problems={problems} />
    </div>
  );
}

/** A field in the shape that views of values take. */
const resultField = (result: FormulaResult): Field => ({
  key: 'result',
  type: result.type ?? 'text',
  label: {},
  section: '',
  required: false,
  unique: false,
  personal: false,
  read_only: true,
  operation_only: false,
  filterable: false,
  sortable: false,
  searchable: false,
  scale: result.scale,
  operators: [],
  access: 'read',
  ...(result.options !== undefined && { options: result.options }),
});

function Preview({ result }: { result: FormulaResult }) {
  const { t } = useTranslation('formula');
  const context = useFieldContext();
  const field = resultField(result);
  if (result.preview.length === 0) return <p className="muted">{t('formula:noRecords')}</p>;
  return (
    <dl className={css.preview} aria-live="polite">
      {result.preview.map((each) => (
        <div key={each.id}>
          <dt className="truncate">{each.title}</dt>
          <dd>
            <FieldView field={field} value={each.value} context={context} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** What a computed field has instead of a type: its formula, how a number is shown, and what comes out. */
export function FormulaMembers({ object, draft, field, onChange, objections }: FormProps) {
  const { t } = useTranslation(['formula', 'settings', 'shape']);
  const label = useLabel();
  const objects = useObjects();
  const functions = useQuery(functionsQuery()).data?.items ?? [];
  const [record, setRecord] = useState<Ref | null>(null);
  const [asked, setAsked] = useState(field !== undefined);
  const text = draft.formula ?? '';
  const settled = useDebounced(text, 250);
  const check = useQuery(
    formulaQuery(object.key, {
      formula: settled,
      ...(field !== undefined && { key: field.key }),
      ...(asked && { type: draft.type, scale: draft.scale }),
      ...(record !== null && { record: record.id }),
    }),
  );
  const known = check.data !== undefined && settled.trim() !== '' ? check.data : undefined;
  const result = known?.ok === true ? known : undefined;
  const type = asked ? draft.type : result?.type;
  // Until somebody chooses, type and decimals are those of the result.
  if (!asked && result?.type !== undefined && (result.type !== draft.type || result.scale !== draft.scale))
    queueMicrotask(() => onChange({ type: result.type as typeof draft.type, scale: result.scale }));
  return (
    <>
      <FormulaInput
        label={t('formula:formula.name')}
        value={text}
        onChange={(formula) => onChange({ formula })}
        suggestFor={(word) =>
          suggest(word, { object, objects, functions, label: (each) => label(each.label, each.key) })
        }
        problems={settled === text ? (known?.problems ?? []) : []}
        error={objections.at('formula')}
      />
      {isNumber(type) && (
        <div className={css.pair}>
          <Select
            label={t('formula:shownAs')}
            value={type ?? 'number'}
            onChange={(next) => {
              setAsked(true);
              onChange({ type: (next ?? 'number') as typeof draft.type });
            }}
            options={SHOWN_AS.map((each) => ({ value: each, label: t(`settings:type.${each}`) }))}
          />
          {type !== 'duration' && (
            <NumberInput
              label={t('shape:field.scale')}
              value={draft.scale}
              onChange={(scale) => {
                setAsked(true);
                onChange({ scale: scale ?? 0 });
              }}
              min={0}
              max={6}
              error={objections.at('scale')}
            />
          )}
        </div>
      )}
      {result !== undefined && (
        <section className={css.result} aria-label={t('formula:preview')}>
          <div className={css.resultHead}>
            <span className="grow">{t('formula:preview')}</span>
            <div className={css.record}>
              <RecordSelect
                aria-label={t('formula:tryOn')}
                object={object.key}
                value={record}
                onChange={(ref) => setRecord(ref)}
              />
            </div>
          </div>
          <Preview result={result} />
          {result.volatile && <p className="muted">{t('formula:volatile')}</p>}
        </section>
      )}
      <details className={css.functions}>
        <summary>{t('formula:functions')}</summary>
        <ul>
          {functions.map((each) => (
            <li key={each.name}>
              <code>
                {each.name}({each.args})
              </code>
              <span className="muted">{t(`formula:fn.${each.name}`)}</span>
            </li>
          ))}
        </ul>
      </details>
    </>
  );
}
