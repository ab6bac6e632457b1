import { useMemo, useState } from 'react';
import type { ImportRun } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useSession } from '@/metadata';
import { MultiSelect, Panel, Select, Switch, TextInput } from '@/ui';
import { matchOf, type RefundChoice, refundChoice, refundRule } from './mapping';
import type { MappingEditor } from './use-mapping';

const values = (kind: 'currency' | 'timeZone', first: string): { value: string; label: string }[] => {
  const known = Intl.supportedValuesOf(kind);
  return [first, ...known.filter((value) => value !== first)].map((value) => ({ value, label: value }));
};

function RefundRule({ editor }: { editor: MappingEditor }) {
  const { t } = useTranslation('imports');
  const start = refundChoice(editor.draft.options.refund_when);
  const [choice, setChoice] = useState<RefundChoice>(start.choice);
  const [text, setText] = useState(start.text);
  const set = (next: RefundChoice, words: string) => {
    setChoice(next);
    setText(words);
    editor.setOptions({ refund_when: refundRule(next, words) });
  };
  return (
    <>
      <Select
        label={t('imports:option.refund')}
        options={(['none', 'quantity', 'amount', 'prefix', 'custom'] as const).map((value) => ({
          value,
          label: t(`imports:refund.${value}`),
        }))}
        value={choice}
        onChange={(next) => next !== null && set(next as RefundChoice, text)}
      />
      {(choice === 'prefix' || choice === 'custom') && (
        <TextInput
          aria-label={t('imports:option.refund')}
          placeholder={t(`imports:refundPlaceholder.${choice}`)}
          value={text}
          onChange={(next) => set(choice, next)}
        />
      )}
    </>
  );
}

function PurchaseOptions({ editor }: { editor: MappingEditor }) {
  const { t } = useTranslation('imports');
  const { options } = editor.draft;
  const { workspace } = useSession();
  const currencies = useMemo(() => values('currency', workspace.currency), [workspace.currency]);
  const zones = useMemo(() => values('timeZone', workspace.timezone), [workspace.timezone]);
  const choice = (key: 'anonymous_customer' | 'free_lines', fallback: 'keep' | 'skip') => (
    <Select
      label={t(`imports:option.${key}`)}
      options={(['keep', 'skip'] as const).map((value) => ({ value, label: t(`imports:${key}.${value}`) }))}
      value={options[key] ?? fallback}
      onChange={(next) => editor.setOptions({ [key]: next })}
    />
  );
  return (
    <>
      <Select
        label={t('imports:option.currency')}
        description={t('imports:option.currencyHelp')}
        searchable
        options={currencies}
        value={options.currency ?? workspace.currency}
        onChange={(currency) => editor.setOptions({ currency })}
      />
      <Select
        label={t('imports:option.timezone')}
        description={t('imports:option.timezoneHelp')}
        searchable
        options={zones}
        value={options.timezone ?? workspace.timezone}
        onChange={(timezone) => editor.setOptions({ timezone })}
      />
      <RefundRule editor={editor} />
      {choice('anonymous_customer', 'keep')}
      {choice('free_lines', 'skip')}
      <Select
        label={t('imports:option.orderKey')}
        description={t('imports:option.orderKeyHelp')}
        options={(['number', 'customer_date'] as const).map((value) => ({
          value,
          label: t(`imports:orderKey.${value}`),
        }))}
        value={(options.order_key ?? []).length > 0 ? 'customer_date' : 'number'}
        onChange={(next) =>
          editor.setOptions({ order_key: next === 'customer_date' ? ['customer', 'date'] : undefined })
        }
      />
    </>
  );
}

const MODES = ['upsert', 'create', 'update'] as const;
const DUPLICATES = ['create', 'skip', 'update', 'mark', 'review'] as const;

function PlainOptions({ run, editor }: { run: ImportRun; editor: MappingEditor }) {
  const { t } = useTranslation(['imports', 'importing']);
  const label = useLabel();
  const { options, columns } = editor.draft;
  const fields = run.targets.filter((target) => target.match && (columns[target.key] ?? []).length > 0);
  const match = matchOf(editor.draft);
  return (
    <>
      <MultiSelect
        label={t('imports:option.match')}
        description={t('importing:matchHelp')}
        placeholder={match.length > 0 ? '' : t('imports:alwaysCreate')}
        options={fields.map((target) => ({ value: target.key, label: label(target.label, target.key) }))}
        value={match}
        onChange={(next) =>
          editor.setOptions({
            match: next.length > 0 ? next : undefined,
            ...(next.length === 0 && { mode: undefined }),
          })
        }
      />
      {match.length > 0 && (
        <Select
          label={t('importing:mode')}
          options={MODES.map((value) => ({ value, label: t(`importing:modeName.${value}`) }))}
          value={options.mode ?? 'upsert'}
          onChange={(next) => editor.setOptions({ mode: next === 'create' || next === 'update' ? next : undefined })}
        />
      )}
      {options.mode !== 'update' && (
        <Select
          label={t('imports:option.duplicates')}
          description={t('importing:duplicatesHelp')}
          options={DUPLICATES.map((value) => ({ value, label: t(`importing:duplicates.${value}`) }))}
          value={options.duplicates ?? 'create'}
          onChange={(next) => editor.setOptions({ duplicates: next === 'create' || next === null ? undefined : next })}
        />
      )}
      <Switch
        label={t('imports:option.lenient')}
        description={t('imports:option.lenientHelp')}
        checked={options.lenient === true}
        onChange={(lenient) => editor.setOptions({ lenient })}
      />
    </>
  );
}

/** The rules of this import. What is not set takes the workspace's. */
export function OptionsPanel({ run, editor }: { run: ImportRun; editor: MappingEditor }) {
  const { t } = useTranslation('imports');
  const { options } = editor.draft;
  return (
    <Panel title={t('imports:options')}>
      <div className="stack">
        {run.object === 'order' ? <PurchaseOptions editor={editor} /> : <PlainOptions run={run} editor={editor} />}
        <Select
          label={t('imports:option.dateOrder')}
          options={(['auto', 'dmy', 'mdy'] as const).map((value) => ({
            value,
            label: t(`imports:dateOrder.${value}`),
          }))}
          value={options.date_order ?? 'auto'}
          onChange={(next) => editor.setOptions({ date_order: next === 'auto' ? undefined : next })}
        />
        <Switch
          label={t('imports:option.decimalComma')}
          checked={options.decimal_comma === true}
          onChange={(decimal_comma) => editor.setOptions({ decimal_comma })}
        />
        <Select
          label={t('imports:option.onError')}
          options={(['skip', 'stop'] as const).map((value) => ({ value, label: t(`imports:onError.${value}`) }))}
          value={options.on_error ?? 'skip'}
          onChange={(on_error) => editor.setOptions({ on_error })}
        />
      </div>
    </Panel>
  );
}
