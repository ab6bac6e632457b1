import { IconAdjustmentsHorizontal, IconArrowRight, IconPlus } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import type { ImportRun } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { IconButton, Pill, Select, type SelectOption } from '@/ui';
import { ColumnSettings, hasSettings, useRuleWords } from './column-settings';
import words from './column-settings.module.css';
import css from './imports.module.css';
import { targetsOf } from './mapping';
import { useTargetNames } from './target-names';
import type { MappingEditor } from './use-mapping';

interface RowProps {
  run: ImportRun;
  column: ImportRun['columns'][number];
  options: readonly SelectOption[];
  suggested: string | null;
  editor: MappingEditor;
}
function Row({ run, column, options, suggested, editor }: RowProps) {
  const { t } = useTranslation(['imports', 'importing']);
  const [more, setMore] = useState(false);
  const [shown, setShown] = useState<string | null>(null);
  const ruleWords = useRuleWords();
  const targets = targetsOf(editor.draft, column.name);
  const slots: (string | null)[] = targets.length === 0 || more ? [...targets, null] : targets;
  const faults = editor.faults.filter((fault) =>
    targets.some(
      (target) =>
        fault.location === target ||
        fault.location === `fields.${target}` ||
        fault.location.startsWith(`rules.${target}`),
    ),
  );
  return (
    <tr>
      <td>
        <div className={css.columnName}>{column.name}</div>
        <div className={css.samples}>{column.samples.filter(Boolean).slice(0, 3).join(' \u00b7 ')}</div>
      </td>
      <td className={css.arrow}>
        <IconArrowRight size={15} aria-hidden color={targets.length > 0 ? 'var(--accent)' : 'var(--text-off)'} />
      </td>
      <td>
        <div className={css.slots}>
          {slots.map((target, at) => (
            <div key={target ?? `free-${at}`} className={css.slot}>
              <Select
                aria-label={t('imports:targetOf', { name: column.name })}
                searchable
                clearable
                placeholder={t('imports:notImported')}
                options={options}
                value={target}
                onChange={(next) => {
                  setMore(false);
                  editor.assign(column.name, target, next);
                }}
              />
              {target !== null && target === suggested && <Pill color="teal">{t('imports:suggested')}</Pill>}
              {hasSettings(
                run.targets.find(({ key }) => key === target),
                run,
              ) && (
                <IconButton
                  size="sm"
                  label={t('importing:settingsOf', { name: column.name })}
                  aria-expanded={shown === target}
                  icon={<IconAdjustmentsHorizontal size={14} />}
                  onClick={() => setShown(shown === target ? null : target)}
                />
              )}
              {target !== null && at === slots.length - 1 && (
                <IconButton
                  size="sm"
                  label={t('imports:alsoAs')}
                  icon={<IconPlus size={14} />}
                  onClick={() => setMore(true)}
                />
              )}
            </div>
          ))}
          {targets.map((key) => {
            const said = ruleWords(editor.draft.rules[key]);
            return said.length > 0 && shown !== key ? (
              <p key={key} className={words.words}>
                {said.join(' \u00b7 ')}
              </p>
            ) : null;
          })}
          {run.targets
            .filter(({ key }) => key === shown && targets.includes(key))
            .map((target) => (
              <ColumnSettings key={target.key} run={run} column={column} target={target} editor={editor} />
            ))}
          {faults.map((fault) => (
            <p key={fault.code} className={css.bad} role="alert">
              {fault.message}
            </p>
          ))}
        </div>
      </td>
    </tr>
  );
}

/** One row per column of the file: what it holds, and what it becomes. */
export function MappingTable({ run, editor }: { run: ImportRun; editor: MappingEditor }) {
  const { t } = useTranslation('imports');
  const label = useLabel();
  const names = useTargetNames(run.targets);
  const options = useMemo(
    () =>
      run.targets.map((target) => ({
        value: target.key,
        label: (names.get(target.key) ?? target.key) + (target.required ? ' *' : ''),
        group: label(target.group, ''),
      })),
    [run.targets, names, label],
  );
  return (
    <table className={css.mapping} aria-label={t('imports:columns')}>
      <thead>
        <tr>
          <th scope="col">{t('imports:fromColumn')}</th>
          <th scope="col" className={css.arrow}>
            <span className="sr-only">{t('imports:becomes')}</span>
          </th>
          <th scope="col">{t('imports:toField')}</th>
        </tr>
      </thead>
      <tbody>
        {run.columns.map((column) => (
          <Row
            key={column.name}
            run={run}
            column={column}
            options={options}
            suggested={editor.suggested.get(column.name) ?? null}
            editor={editor}
          />
        ))}
      </tbody>
    </table>
  );
}
