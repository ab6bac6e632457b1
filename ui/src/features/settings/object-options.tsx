import { IconArchive, IconArchiveOff, IconPlus, IconX } from '@tabler/icons-react';
import { type ClipboardEvent, type CSSProperties, type ReactNode, useState } from 'react';
import { LANGUAGES, labelText, useLanguage, useTranslation } from '@/i18n';
import { HUES } from '@/lib/hue';
import { Button, IconButton, Popover, Textarea, TextInput } from '@/ui';
import css from './object.module.css';
import { type DraftOption, newOption, type Objections, pastedOptions } from './object-draft';
import { useSorting } from './object-sort';

const dot = (color: string) => ({ '--dot': `var(--tag-${color}-fg)` }) as CSSProperties;

function ColorChoice({ value, onChange, name }: { value: string; onChange: (color: string) => void; name: string }) {
  const { t } = useTranslation('shape');
  const [opened, setOpened] = useState(false);
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      width="auto"
      padding={8}
      target={
        <button
          type="button"
          className={css.color}
          style={dot(value)}
          aria-label={t('shape:options.colorOf', { name, color: t(`shape:color.${value}`, { defaultValue: value }) })}
          aria-expanded={opened}
          onClick={() => setOpened(!opened)}
        />
      }
    >
      <div className={css.colors}>
        {HUES.map((hue) => (
          <button
            key={hue}
            type="button"
            className={css.color}
            style={dot(hue)}
            aria-label={t(`shape:color.${hue}`)}
            aria-pressed={hue === value}
            onClick={() => {
              onChange(hue);
              setOpened(false);
            }}
          />
        ))}
      </div>
    </Popover>
  );
}

function Paste({ onAdd }: { onAdd: (text: string) => void }) {
  const { t } = useTranslation(['shape', 'common']);
  const [opened, setOpened] = useState(false);
  const [text, setText] = useState('');
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      width={320}
      target={
        <Button kind="subtle" aria-expanded={opened} onClick={() => setOpened(!opened)}>
          {t('shape:options.many')}
        </Button>
      }
    >
      <div className="stack">
        <Textarea
          label={t('shape:options.many')}
          description={t('shape:options.manyHelp')}
          value={text}
          onChange={setText}
          minRows={5}
          autoFocus
        />
        <Button
          kind="primary"
          disabled={text.trim() === ''}
          onClick={() => {
            onAdd(text);
            setText('');
            setOpened(false);
          }}
        >
          {t('common:add')}
        </Button>
      </div>
    </Popover>
  );
}

interface RowProps {
  option: DraftOption;
  at: number;
  handle: ReactNode;
  fresh: boolean;
  objections: Objections;
  onChange: (patch: Partial<DraftOption>) => void;
  onRemove: () => void;
  onNext: () => void;
  onPaste: (event: ClipboardEvent) => void;
}

function OptionRow({ option, at, handle, fresh, objections, onChange, onRemove, onNext, onPaste }: RowProps) {
  const { t } = useTranslation('shape');
  const own = useLanguage();
  const languages = [own, ...LANGUAGES.filter((each) => each !== own)];
  const name = labelText(option.label, own) || t('shape:options.number', { at: at + 1 });
  const keyFault = objections.at(`options.${at}.key`);
  // A key is nobody's concern until two names would share one.
  const showKey = keyFault !== undefined || (!option.kept && option.key !== '');
  return (
    <li className={css.option} data-archived={option.archived || undefined} onPaste={onPaste}>
      {handle}
      <ColorChoice value={option.color} name={name} onChange={(color) => onChange({ color })} />
      <div className={css.optionWords}>
        {languages.map((language, place) => (
          <TextInput
            key={language}
            aria-label={t(`shape:in.${language}`, { name: t('shape:options.number', { at: at + 1 }) })}
            placeholder={t(`shape:options.in.${language}`)}
            value={option.label[language] ?? ''}
            maxLength={80}
            onChange={(text) => onChange({ label: { ...option.label, [language]: text } })}
            onEnter={onNext}
            {...(place === 0 && { error: objections.at(`options.${at}.label`), autoFocus: fresh })}
          />
        ))}
        {showKey && (
          <TextInput
            aria-label={t('shape:options.keyOf', { name })}
            placeholder={t('shape:key.label')}
            value={option.key}
            onChange={(key) => onChange({ key })}
            error={keyFault}
          />
        )}
      </div>
      {option.kept ? (
        <IconButton
          size="sm"
          label={t(option.archived ? 'shape:options.restoreOf' : 'shape:options.archiveOf', { name })}
          icon={option.archived ? <IconArchiveOff size={15} /> : <IconArchive size={15} />}
          onClick={() => onChange({ archived: !option.archived })}
        />
      ) : (
        <IconButton
          size="sm"
          label={t('shape:options.removeOf', { name })}
          icon={<IconX size={15} />}
          onClick={onRemove}
        />
      )}
    </li>
  );
}

interface Props {
  options: readonly DraftOption[];
  onChange: (options: DraftOption[]) => void;
  objections: Objections;
}

/** The values of a choice: names in both languages, colours, order. Used ones are archived instead of deleted. */
export function OptionsEditor({ options, onChange, objections }: Props) {
  const { t } = useTranslation('shape');
  const own = useLanguage();
  const other = LANGUAGES.find((each) => each !== own) ?? own;
  const byId = new Map(options.map((option) => [option.id, option]));
  const sorting = useSorting(
    options.map((option) => option.id),
    (order) => onChange(order.flatMap((id) => byId.get(id) ?? [])),
  );
  const patch = (id: string, change: Partial<DraftOption>) =>
    onChange(options.map((option) => (option.id === id ? { ...option, ...change } : option)));
  const isEmpty = (option: DraftOption) => !option.kept && labelText(option.label, own).trim() === '';
  const addMany = (text: string, from = options.length) => {
    const added = pastedOptions(text, own, other, options.filter((option) => !isEmpty(option)).length);
    const before = options.slice(0, from).filter((option) => !isEmpty(option));
    const after = options.slice(from).filter((option) => !isEmpty(option));
    onChange([...before, ...added, ...after]);
  };
  const paste = (at: number) => (event: ClipboardEvent) => {
    const text = event.clipboardData.getData('text/plain');
    if (!/\r?\n/.test(text.trim())) return;
    event.preventDefault();
    addMany(text, at + 1);
  };
  const [fresh, setFresh] = useState('');
  const add = () => {
    const option = newOption({}, options.length);
    setFresh(option.id);
    onChange([...options, option]);
  };
  const list = sorting.order.flatMap((id) => byId.get(id) ?? []);
  const fault = objections.at('options');
  return (
    <fieldset className={css.optionsBox}>
      <legend className={css.label}>{t('shape:options.title')}</legend>
      <ul className={css.optionList}>
        {list.map((option, at) => (
          <OptionRow
            key={option.id}
            option={option}
            at={at}
            handle={sorting.handle(
              option.id,
              labelText(option.label, own) || t('shape:options.number', { at: at + 1 }),
            )}
            fresh={option.id === fresh}
            objections={objections}
            onChange={(change) => patch(option.id, change)}
            onRemove={() => onChange(options.filter((each) => each.id !== option.id))}
            onNext={add}
            onPaste={paste(at)}
          />
        ))}
      </ul>
      {sorting.status}
      <div className="row">
        <Button kind="subtle" icon={<IconPlus size={14} />} onClick={add}>
          {t('shape:options.add')}
        </Button>
        <Paste onAdd={addMany} />
      </div>
      {fault !== undefined && <p className={css.fault}>{fault}</p>}
    </fieldset>
  );
}
