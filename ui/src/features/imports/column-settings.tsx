import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type ImportChoice, type ImportRule, type ImportRun, importChoicesQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { Button, ErrorState, Modal, Select, SkeletonRows, Switch, TextInput } from '@/ui';
import own from './column-settings.module.css';
import { mappingOf, matchOf } from './mapping';
import { useTargetNames } from './target-names';
import type { MappingEditor } from './use-mapping';

type Target = ImportRun['targets'][number];

const DATED = new Set(['date', 'datetime', 'birthday']);
const FIGURED = new Set(['number', 'money', 'percent']);
const CHOSEN = new Set(['choice', 'multi_choice']);
const LAYOUTS = ['yyyy-mm-dd', 'yyyy/mm/dd', 'yyyymmdd', 'dmy', 'mdy', 'dd.mm.yyyy', 'custom'];

const isRelated = (target: Target): boolean =>
  (target.via ?? '') !== '' || target.type === 'relation' || target.type === 'user';

/** Whether anything can be said of a column beside its target. */
export const hasSettings = (target: Target | undefined, run: ImportRun): boolean =>
  target !== undefined && (run.object !== 'order' ? true : CHOSEN.has(target.type) || target.key === 'order.at');

/** What is set of a target, in a few words each. */
export function useRuleWords(): (rule: ImportRule | undefined) => string[] {
  const { t } = useTranslation('importing');
  const fmt = useFormat();
  return (rule) => {
    if (rule === undefined) return [];
    const words: string[] = [];
    if (rule.missing === 'empty' || rule.missing === 'create') words.push(t(`importing:missingShort.${rule.missing}`));
    if (rule.only_empty === true) words.push(t('importing:onlyEmptyShort'));
    if (rule.date)
      words.push(rule.date === 'dmy' || rule.date === 'mdy' ? t(`importing:date.${rule.date}`) : rule.date);
    if (rule.decimal) words.push(t(`importing:decimal.${rule.decimal}`));
    const count = Object.keys(rule.options ?? {}).length;
    if (count > 0) words.push(t('importing:optionsShort', { count, shown: fmt.number(count) }));
    return words;
  };
}

function DateLayout({ rule, onRule }: { rule: ImportRule; onRule: (rule: Partial<ImportRule>) => void }) {
  const { t } = useTranslation('importing');
  const known = rule.date === undefined || rule.date === '' || LAYOUTS.includes(rule.date);
  const [custom, setCustom] = useState(!known);
  const [text, setText] = useState(known ? '' : (rule.date ?? ''));
  return (
    <>
      <Select
        label={t('importing:dateLabel')}
        options={['auto', ...LAYOUTS].map((value) => ({ value, label: t(`importing:date.${value}`) }))}
        value={custom ? 'custom' : (rule.date ?? 'auto')}
        onChange={(next) => {
          setCustom(next === 'custom');
          if (next === 'custom') return;
          onRule({ date: next === 'auto' || next === null ? '' : next });
        }}
      />
      {custom && (
        <TextInput
          label={t('importing:dateCustom')}
          placeholder="dd/mm/yyyy hh:mm"
          value={text}
          onChange={setText}
          onBlur={() => onRule({ date: text.trim() })}
          onEnter={() => onRule({ date: text.trim() })}
        />
      )}
    </>
  );
}

interface MatchProps {
  choice: ImportChoice;
  options: Record<string, string>;
  onOption: (text: string, match: string | undefined) => void;
}
function Matches({ choice, options, onOption }: MatchProps) {
  const { t } = useTranslation('importing');
  const label = useLabel();
  const fmt = useFormat();
  const known = choice.options.map((option) => ({
    value: `=${option.key}`,
    label: label(option.label, option.key),
    ...(option.color !== undefined && { color: option.color }),
  }));
  return (
    <ul className={own.texts}>
      {choice.texts.map(({ text, count, match, set }) => {
        const given = options[text] ?? (set ? undefined : (match ?? undefined));
        const value = given === undefined ? null : `=${given}`;
        const extra = [
          { value: '=', label: t('importing:noValue') },
          ...(choice.create ? [{ value: `=+${text}`, label: t('importing:makeOption', { text }) }] : []),
          ...(given?.startsWith('+') && given !== `+${text}`
            ? [{ value: `=${given}`, label: t('importing:makeOption', { text: given.slice(1) }) }]
            : []),
        ];
        return (
          <li key={text} data-open={value === null || undefined}>
            <div className={own.text}>
              <span>{text}</span>
              <span className="muted num">{t('importing:times', { count, shown: fmt.number(count) })}</span>
            </div>
            <Select
              aria-label={t('importing:matchOf', { text })}
              searchable
              clearable
              placeholder={t('importing:unmatched')}
              options={[...known, ...extra]}
              value={value}
              onChange={(next) => onOption(text, next === null ? undefined : next.slice(1))}
            />
          </li>
        );
      })}
    </ul>
  );
}

/** The texts of a choice column with their counts, each with the option it becomes. */
function OptionMatcher({ run, target, editor }: { run: ImportRun; target: Target; editor: MappingEditor }) {
  const { t } = useTranslation(['importing', 'common']);
  const [opened, setOpened] = useState(false);
  const [options, setOptions] = useState<Record<string, string>>({});
  const rule = editor.draft.rules[target.key] ?? {};
  const open = async () => {
    setOptions(rule.options ?? {});
    if (await editor.flush()) setOpened(true);
  };
  const { data, error, refetch } = useQuery({
    ...importChoicesQuery(run.id, mappingOf(editor.draft)),
    enabled: opened,
  });
  const choice = data?.items.find((each) => each.target === target.key);
  const unknown = (choice?.texts ?? []).filter(({ text, match, set }) =>
    options[text] === undefined ? set || match === null : false,
  );
  const fillAll = (make: (text: string) => string) =>
    setOptions({ ...options, ...Object.fromEntries(unknown.map(({ text }) => [text, make(text)])) });
  return (
    <>
      <Button onClick={open}>{t('importing:matchOptions')}</Button>
      <Modal
        opened={opened}
        onClose={() => setOpened(false)}
        title={t('importing:matchTitle', { name: choice?.column ?? '' })}
        size={620}
        footer={
          <>
            <Button onClick={() => setOpened(false)}>{t('common:cancel')}</Button>
            <Button
              kind="primary"
              disabled={choice === undefined}
              onClick={() => {
                editor.setRule(target.key, { options: Object.keys(options).length > 0 ? options : undefined });
                setOpened(false);
              }}
            >
              {t('importing:apply')}
            </Button>
          </>
        }
      >
        {error !== null && <ErrorState error={error} onRetry={() => refetch()} />}
        {error === null && data === undefined && <SkeletonRows rows={5} />}
        {choice !== undefined && (
          <div className="stack">
            <p className="muted">
              {unknown.length > 0 ? t('importing:matchOpen', { count: unknown.length }) : t('importing:matchAll')}
            </p>
            {unknown.length > 0 && (
              <div className={own.fill}>
                {choice.create && (
                  <Button onClick={() => fillAll((text) => `+${text}`)}>{t('importing:makeAll')}</Button>
                )}
                <Button onClick={() => fillAll(() => '')}>{t('importing:emptyAll')}</Button>
              </div>
            )}
            <Matches
              choice={choice}
              options={options}
              onOption={(text, match) => {
                const next = { ...options };
                if (match === undefined) delete next[text];
                else next[text] = match;
                setOptions(next);
              }}
            />
            {(choice.more || data?.partial === true) && <p className="muted">{t('importing:matchMore')}</p>}
          </div>
        )}
      </Modal>
    </>
  );
}

interface Props {
  run: ImportRun;
  column: ImportRun['columns'][number];
  target: Target;
  editor: MappingEditor;
}
/** How the texts of one column are read: by what a relation is found, notation of dates and figures, options, gaps. */
export function ColumnSettings({ run, column, target, editor }: Props) {
  const { t } = useTranslation('importing');
  const names = useTargetNames(run.targets);
  const rule = editor.draft.rules[target.key] ?? {};
  const onRule = (next: Partial<ImportRule>) => editor.setRule(target.key, next);
  const relation = (target.via ?? '') === '' ? target.key : target.via;
  const ways = isRelated(target)
    ? run.targets.filter((each) => each.key === relation || (each.via ?? '') === relation)
    : [];
  const examples = column.samples
    .map((text, at) => ({ text, reads: column.reads[at] ?? '' }))
    .filter(({ text }) => text !== '');
  const notation = DATED.has(target.type) || FIGURED.has(target.type);
  const plain = run.object !== 'order';
  return (
    <div className={own.settings}>
      {ways.length > 1 && (
        <Select
          label={t('importing:findBy')}
          options={ways.map((each) => ({
            value: each.key,
            label: each.key === relation ? t('importing:findAny') : (names.get(each.key) ?? each.key),
          }))}
          value={target.key}
          onChange={(next) => next !== null && next !== target.key && editor.assign(column.name, target.key, next)}
        />
      )}
      {isRelated(target) && (
        <Select
          label={t('importing:missingLabel')}
          options={(['error', 'empty', 'create'] as const)
            .filter((value) => value !== 'create' || target.type !== 'user')
            .map((value) => ({ value, label: t(`importing:missing.${value}`) }))}
          value={rule.missing ?? 'error'}
          onChange={(next) => onRule({ missing: (next ?? 'error') as NonNullable<ImportRule['missing']> })}
        />
      )}
      {DATED.has(target.type) && <DateLayout key={rule.date ?? ''} rule={rule} onRule={onRule} />}
      {plain && FIGURED.has(target.type) && (
        <Select
          label={t('importing:decimalLabel')}
          options={(['auto', 'point', 'comma'] as const).map((value) => ({
            value,
            label: t(`importing:decimal.${value}`),
          }))}
          value={rule.decimal ?? 'auto'}
          onChange={(next) => onRule({ decimal: next === 'point' || next === 'comma' ? next : undefined })}
        />
      )}
      {CHOSEN.has(target.type) && <OptionMatcher run={run} target={target} editor={editor} />}
      {plain && matchOf(editor.draft).length > 0 && (
        <Switch
          label={t('importing:onlyEmpty')}
          description={t('importing:onlyEmptyHelp')}
          checked={rule.only_empty === true}
          onChange={(only_empty) => onRule({ only_empty })}
        />
      )}
      {notation && examples.length > 0 && (
        <dl className={own.examples} aria-live="polite">
          {examples.map(({ text, reads }) => (
            <div key={text}>
              <dt>{text}</dt>
              <dd data-bad={reads === '' || undefined}>{reads === '' ? t('importing:unreadable') : reads}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}
