import { IconPlus, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { type Field, type ObjectType, type Sort, useChangeObject } from '@/api';
import { type Label, useLabel, useTranslation } from '@/i18n';
import { Button, IconButton, Panel, Picker, Select, toast } from '@/ui';
import css from './object.module.css';
import { cleanLabel, isBlank, objectionsOf } from './object-draft';
import { IconChoice } from './object-icon-choice';
import { type Names, NamesInput, pluralOf } from './object-names';
import { useSorting } from './object-sort';

interface FieldsProps {
  label: string;
  help: string;
  fields: readonly Field[];
  keys: readonly string[];
  /** Stands first and stays. */
  fixed?: string;
  onChange: (keys: string[]) => void;
  error?: string | undefined;
}

/** Some of the fields in an order: picked from a list, dragged, taken away. */
export function FieldsChoice({ label: title, help, fields, keys, fixed, onChange, error }: FieldsProps) {
  const { t } = useTranslation('shape');
  const label = useLabel();
  const nameOf = (key: string) => label(fields.find((field) => field.key === key)?.label, key);
  const free = keys.filter((key) => key !== fixed);
  const first = fixed === undefined ? [] : [fixed];
  const sorting = useSorting(free, (order) => onChange([...first, ...order]));
  const rest = fields.filter((field) => !keys.includes(field.key) && field.key !== fixed);
  return (
    <div>
      <div className={css.label}>{title}</div>
      <p className={css.help}>{help}</p>
      <ul className={css.chosen} aria-label={title}>
        {fixed !== undefined && (
          <li>
            <span className={css.noHandle} />
            <span className="grow truncate">{nameOf(fixed)}</span>
            <span className="muted">{t('shape:display.first')}</span>
          </li>
        )}
        {sorting.order.map((key) => (
          <li key={key}>
            {sorting.handle(key, nameOf(key))}
            <span className="grow truncate">{nameOf(key)}</span>
            <IconButton
              size="sm"
              tooltip={false}
              label={t('shape:display.remove', { name: nameOf(key) })}
              icon={<IconX size={14} />}
              onClick={() => onChange(keys.filter((each) => each !== key))}
            />
          </li>
        ))}
      </ul>
      {sorting.status}
      <Picker
        groups={[
          {
            label: title,
            items: rest.map((field) => ({ value: field.key, label: nameOf(field.key), keywords: field.key })),
          },
        ]}
        searchLabel={t('shape:display.find')}
        onPick={(key) => onChange([...first, ...free, key])}
      >
        {(open) => (
          <Button kind="subtle" icon={<IconPlus size={14} />} disabled={rest.length === 0} onClick={open}>
            {t('shape:display.add')}
          </Button>
        )}
      </Picker>
      {error !== undefined && <p className={css.fault}>{error}</p>}
    </div>
  );
}

const isTitle = (field: Field): boolean =>
  (field.type === 'text' || field.type === 'auto_number') && !field.personal && field.key !== 'id';
const PLACED = /^(label|plural|title_field|subtitle_fields(\.\d+)?|default_columns(\.\d+)?|default_sort(\.\d+)?)$/;

const sorted = (label: Label) => Object.entries(label).toSorted();
const same = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right);

/** How an object is called and how its lists look before anybody changes them. */
export function ObjectDisplay({ object }: { object: ObjectType }) {
  const { t } = useTranslation(['shape', 'common']);
  const label = useLabel();
  const change = useChangeObject(object.key);
  const [names, setNames] = useState<Names>({ label: object.label, plural: object.plural });
  const [icon, setIcon] = useState(object.icon);
  const [title, setTitle] = useState(object.title_field);
  const [subtitle, setSubtitle] = useState<string[]>(object.subtitle_fields ?? []);
  const [columns, setColumns] = useState<string[]>(object.default_columns);
  const [sort, setSort] = useState<Sort>(object.default_sort[0] ?? { field: 'created_at', desc: true });
  const objections = objectionsOf(change.error);
  const at = (member: string) =>
    objections.at(member) ?? [0, 1, 2, 3, 4, 5, 6, 7, 8].map((n) => objections.at(`${member}.${n}`)).find(Boolean);
  const rest = objections.rest((location) => PLACED.test(location));
  const readable = object.fields.filter((field) => field.access !== 'hidden');
  const listable = readable.filter((field) => field.key !== 'id');
  const renamed = !same(names, { label: object.label, plural: object.plural });
  const patch = {
    ...(!same(cleanLabel(names.label), object.label) && { label: cleanLabel(names.label) }),
    ...(renamed && !same(sorted(pluralOf(names)), sorted(object.plural)) && { plural: pluralOf(names) }),
    ...(icon !== object.icon && { icon }),
    ...(title !== object.title_field && { title_field: title }),
    ...(!same(subtitle, object.subtitle_fields ?? []) && { subtitle_fields: subtitle }),
    ...(!same(columns, object.default_columns) && { default_columns: columns }),
    ...(!same(sort, object.default_sort[0]) && { default_sort: [sort] }),
  };
  const changed = Object.keys(patch).length > 0;
  return (
    <div className={css.display}>
      <Panel title={t('shape:display.names')}>
        <div className={css.fields}>
          <NamesInput value={names} onChange={setNames} objections={objections} />
          <IconChoice value={icon} onChange={setIcon} />
          {!object.standard && (
            <Select
              label={t('shape:title.label')}
              description={t('shape:display.titleHelp')}
              value={title}
              onChange={(next) => next !== null && setTitle(next)}
              options={readable
                .filter(isTitle)
                .map((field) => ({ value: field.key, label: label(field.label, field.key) }))}
              error={at('title_field')}
            />
          )}
          <FieldsChoice
            label={t('shape:display.subtitle')}
            help={t('shape:display.subtitleHelp')}
            fields={listable}
            keys={subtitle}
            onChange={setSubtitle}
            error={at('subtitle_fields')}
          />
        </div>
      </Panel>
      <Panel title={t('shape:display.list')}>
        <div className={css.fields}>
          <FieldsChoice
            label={t('shape:display.columns')}
            help={t('shape:display.columnsHelp')}
            fields={listable}
            keys={columns}
            fixed={title}
            onChange={setColumns}
            error={at('default_columns')}
          />
          <div className={css.pair}>
            <Select
              label={t('shape:display.sort')}
              value={sort.field ?? 'created_at'}
              onChange={(field) => field !== null && setSort({ ...sort, field })}
              options={listable
                .filter((field) => field.sortable)
                .map((field) => ({ value: field.key, label: label(field.label, field.key) }))}
              searchable
              error={at('default_sort')}
            />
            <Select
              label={t('shape:display.direction')}
              value={sort.desc === true ? 'desc' : 'asc'}
              onChange={(way) => {
                const { desc: _, ...plain } = sort;
                setSort(way === 'desc' ? { ...plain, desc: true } : plain);
              }}
              options={[
                { value: 'asc', label: t('shape:display.asc') },
                { value: 'desc', label: t('shape:display.desc') },
              ]}
            />
          </div>
        </div>
      </Panel>
      {rest !== null && (
        <p className={css.refused} role="alert">
          {rest}
        </p>
      )}
      <div className={css.foot}>
        <Button
          kind="primary"
          disabled={!changed || isBlank(names.label)}
          loading={change.isPending}
          onClick={() => change.mutate(patch, { onSuccess: () => toast.ok(t('common:saved')) })}
        >
          {t('common:save')}
        </Button>
      </div>
    </div>
  );
}
