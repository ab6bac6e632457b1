import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect } from 'react';
import { clashesQuery, type ObjectType, type Ref, type UniqueRule, useChangeObject, worksQuery } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { Button, ErrorState, MultiSelect, Pill, Progress, SkeletonRows, toast } from '@/ui';
import css from './object.module.css';
import { cleanLabel, isBlank, type Objections, objectionsOf } from './object-draft';
import { LabelInput } from './object-labels';
import { type Draft, RuleList, RulePanel, useRuleDrafts } from './object-rule-list';

const JOINED = new Set([
  'text',
  'url',
  'phone',
  'email',
  'auto_number',
  'number',
  'percent',
  'duration',
  'rating',
  'money',
  'bool',
  'date',
  'datetime',
  'choice',
  'relation',
  'user',
  'region',
]);
const COLORS = { on: 'green', checking: 'blue', clash: 'red', off: 'gray' } as const;

/** How far the check of a rule is. */
function Checking({ object, rule }: { object: ObjectType; rule: UniqueRule }) {
  const { t } = useTranslation('layout');
  const client = useQueryClient();
  const works = useQuery(worksQuery(object.key)).data?.items ?? [];
  const work = works.find((each) => each.kind === 'unique' && each.target === rule.key);
  const over = work !== undefined && work.state !== 'queued' && work.state !== 'running';
  const text = t('layout:unique.checking', { seen: work?.seen ?? 0, total: work?.total ?? 0 });
  useEffect(() => {
    if (over) void client.invalidateQueries({ queryKey: ['objects'], exact: true });
  }, [over, client]);
  return (
    <div>
      <Progress value={work === undefined || work.total === 0 ? 0 : Math.min(1, work.seen / work.total)} label={text} />
      <p className={css.help} aria-hidden>
        {text}
      </p>
    </div>
  );
}

function RecordLink({ of }: { of: Ref | null }) {
  const { t } = useTranslation('layout');
  if (of === null) return <span className="muted">{t('layout:unique.gone')}</span>;
  return (
    <Link to="/o/$object/$id" params={{ object: of.object, id: of.id }}>
      {of.title || of.id}
    </Link>
  );
}

/** The records that clash, each a click away. */
function Clashes({ object, rule }: { object: ObjectType; rule: UniqueRule }) {
  const { t } = useTranslation('layout');
  const { data, error, refetch } = useQuery(clashesQuery(object.key, rule.key));
  if (error !== null) return <ErrorState error={error} onRetry={() => refetch()} compact />;
  if (data === undefined) return <SkeletonRows rows={3} />;
  return (
    <div>
      <p className={css.fault}>{t('layout:unique.clashes', { count: data.total })}</p>
      <ul className={css.archived} aria-label={t('layout:unique.list')}>
        {data.items.map((clash, at) => (
          <li key={clash.record?.id ?? at}>
            <RecordLink of={clash.record} />
            <span className="muted">{t('layout:unique.same')}</span>
            <RecordLink of={clash.other} />
          </li>
        ))}
      </ul>
      {data.total > data.items.length && (
        <p className="muted">{t('layout:unique.more', { count: data.total - data.items.length })}</p>
      )}
    </div>
  );
}

interface RuleProps {
  object: ObjectType;
  rule: Draft<UniqueRule>;
  stored: UniqueRule | undefined;
  number: number;
  objections: Objections;
  onChange: (rule: Draft<UniqueRule>) => void;
  onRemove: () => void;
}
function RuleBox({ object, rule, stored, number, objections, onChange, onRemove }: RuleProps) {
  const { t } = useTranslation('layout');
  const label = useLabel();
  const at = (member: string) => objections.at(`unique_rules.${number - 1}.${member}`);
  const state = stored?.state;
  const same = stored !== undefined && JSON.stringify(stored.fields) === JSON.stringify(rule.fields);
  return (
    <RulePanel
      title={
        <span className="row">
          {t('layout:unique.number', { number })}
          {state !== undefined && same && <Pill color={COLORS[state]}>{t(`layout:unique.state.${state}`)}</Pill>}
        </span>
      }
      on={t('layout:unique.on')}
      remove={t('layout:unique.remove', { number })}
      active={rule.state !== 'off'}
      onActive={(on) => {
        const { state: _, ...rest } = rule;
        onChange(on ? rest : { ...rest, state: 'off' });
      }}
      onRemove={onRemove}
    >
      <LabelInput
        name={t('layout:unique.name')}
        value={rule.label}
        onChange={(next) => onChange({ ...rule, label: next })}
        error={at('label')}
        required
      />
      <MultiSelect
        label={t('layout:unique.fields')}
        description={t('layout:unique.fieldsHelp')}
        required
        searchable
        value={rule.fields}
        onChange={(fields) => onChange({ ...rule, fields })}
        options={object.fields
          .filter(
            (field) =>
              JOINED.has(field.type) &&
              field.formula === undefined &&
              field.rollup === undefined &&
              !['id', 'created_at', 'updated_at', 'created_by'].includes(field.key),
          )
          .map((field) => ({ value: field.key, label: label(field.label, field.key) }))}
        error={at('fields')}
      />
      {state === 'checking' && same && stored !== undefined && <Checking object={object} rule={stored} />}
      {state === 'clash' && same && stored !== undefined && <Clashes object={object} rule={stored} />}
    </RulePanel>
  );
}

/** The rules over several fields, saved together; what they say of the records of before is checked in the background. */
export function ObjectUnique({ object }: { object: ObjectType }) {
  const { t } = useTranslation(['layout', 'common']);
  const stored = object.unique_rules ?? [];
  const { rules, touched, ...drafts } = useRuleDrafts<UniqueRule>(stored);
  const change = useChangeObject(object.key);
  const objections = objectionsOf(change.error);
  const again = stored.some((rule) => rule.state === 'clash');
  const send = async (list: readonly Draft<UniqueRule>[]) => {
    try {
      const saved = await change.mutateAsync({
        unique_rules: list.map(({ id: _, ...rule }) => ({ ...rule, label: cleanLabel(rule.label) })),
      });
      drafts.reset(saved.unique_rules ?? []);
      toast.ok(t('common:saved'));
    } catch {
      // said below
    }
  };
  return (
    <RuleList
      about={t('layout:unique.about')}
      none={t('layout:unique.none')}
      add={t('layout:unique.add')}
      rest={objections.rest((location) => /^unique_rules\.\d+\.(label|fields)$/.test(location))}
      most={10}
      count={rules.length}
      ready={touched && rules.every((rule) => rule.fields.length > 0 && !isBlank(rule.label))}
      busy={change.isPending}
      onAdd={() => drafts.add({ key: '', label: {}, fields: [] })}
      onSave={() => void send(rules)}
      more={
        again &&
        !touched && (
          <Button
            loading={change.isPending}
            onClick={() => void send(rules.map((rule) => (rule.state === 'clash' ? { ...rule, state: 'on' } : rule)))}
          >
            {t('layout:unique.again')}
          </Button>
        )
      }
    >
      {rules.map((rule, at) => (
        <RuleBox
          key={rule.id}
          object={object}
          rule={rule}
          stored={rule.key === '' ? undefined : stored.find((each) => each.key === rule.key)}
          number={at + 1}
          objections={objections}
          onChange={drafts.change}
          onRemove={() => drafts.remove(rule.id)}
        />
      ))}
    </RuleList>
  );
}
