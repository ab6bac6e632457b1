import {
  IconArchive,
  IconCheck,
  IconDots,
  IconLock,
  IconPencil,
  IconPlus,
  IconSearch,
  IconTransform,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { archivedQuery, type Field, type ObjectType, useArchiveField, useChangeField, useRestoreField } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { matchScore } from '@/lib/match';
import { findObject, SYSTEM_FIELDS, useObjects } from '@/metadata';
import {
  Button,
  Dot,
  EmptyState,
  IconButton,
  Menu,
  Panel,
  Pill,
  prose,
  SearchInput,
  Table,
  type TableColumn,
  Tooltip,
  toast,
} from '@/ui';
import css from './object.module.css';
import { FieldPanel } from './object-field-panel';
import { useSorting } from './object-sort';
import { TypeIcon } from './object-types';

const UsesDialog = lazy(() => import('./object-uses').then((module) => ({ default: module.UsesDialog })));
const ConvertPanel = lazy(() => import('./object-convert').then((module) => ({ default: module.ConvertPanel })));

const FLAGS = ['required', 'unique', 'indexed', 'personal', 'read_only', 'searchable'] as const;
const FLAG_COLORS = {
  required: 'amber',
  unique: 'blue',
  indexed: 'teal',
  personal: 'red',
  read_only: 'gray',
  searchable: 'green',
} as const;

const isSystem = (field: Field): boolean => (SYSTEM_FIELDS as readonly string[]).includes(field.key);

function Details({ field }: { field: Field }) {
  const { t } = useTranslation(['settings', 'formula']);
  const label = useLabel();
  const objects = useObjects();
  const [all, setAll] = useState(false);
  const target = findObject(objects, field.target);
  const options = (field.options ?? []).filter((option) => option.archived !== true);
  if (options.length > 0) {
    const shown = all ? options : options.slice(0, 6);
    return (
      <span className={css.details}>
        {shown.map((option) => (
          <Dot key={option.key} color={option.color ?? 'gray'}>
            {label(option.label, option.key)}
          </Dot>
        ))}
        {options.length > shown.length && (
          <Button kind="subtle" onClick={() => setAll(true)}>
            {t('settings:objects.moreOptions', { count: options.length - shown.length })}
          </Button>
        )}
      </span>
    );
  }
  if (target !== undefined)
    return (
      <Link to="/settings/objects/$object" params={{ object: target.key }}>
        {label(target.label, target.key)}
      </Link>
    );
  if (field.rollup !== undefined) {
    const child = findObject(objects, field.rollup.object);
    const source = child?.fields.find((each) => each.key === field.rollup?.field);
    return (
      <span className="muted">
        {label(child?.plural, field.rollup.object)} {'\u00b7'} {t(`formula:rollup.func.${field.rollup.func}`)}
        {source !== undefined && ` \u00b7 ${label(source.label, source.key)}`}
      </span>
    );
  }
  if (field.formula !== undefined) return <code className="muted">{field.formula}</code>;
  if (field.pattern !== undefined) return <code className="muted">{field.pattern}</code>;
  return <span className="muted">{label(field.help)}</span>;
}

function Name({ object, field, onEdit }: { object: ObjectType; field: Field; onEdit?: (() => void) | undefined }) {
  const { t } = useTranslation('settings');
  const label = useLabel();
  return (
    <span className={prose.lines}>
      <span className="row">
        {onEdit === undefined ? (
          <span className={css.fieldName}>{label(field.label, field.key)}</span>
        ) : (
          <button type="button" className={css.fieldName} onClick={onEdit}>
            {label(field.label, field.key)}
          </button>
        )}
        {field.access === 'read' && (
          <Tooltip label={t('settings:objects.noWrite')}>
            <span className={css.lock}>
              <IconLock size={13} aria-hidden />
              <span className="sr-only">{t('settings:objects.noWrite')}</span>
            </span>
          </Tooltip>
        )}
        {object.title_field === field.key && (
          <span className="muted row">
            <IconCheck size={13} aria-hidden />
            {t('settings:objects.title')}
          </span>
        )}
      </span>
      <code className="muted">{field.key}</code>
    </span>
  );
}

function Marks({ field }: { field: Field }) {
  const { t } = useTranslation(['settings', 'shape', 'formula']);
  return (
    <span className={css.pills}>
      {field.custom === true && <Pill color="violet">{t('settings:objects.custom')}</Pill>}
      {field.rollup !== undefined && <Pill color="blue">{t('formula:rollup.name')}</Pill>}
      {field.formula !== undefined && (
        <Pill color={field.broken === true ? 'red' : 'blue'}>
          {t(field.broken === true ? 'formula:broken' : 'formula:formula.name')}
        </Pill>
      )}
      {field.access === 'hidden' && <Pill color="gray">{t('shape:rule.hidden')}</Pill>}
      {FLAGS.filter((flag) => field[flag]).map((flag) => (
        <Pill key={flag} color={FLAG_COLORS[flag]}>
          {flag === 'indexed' ? t('shape:rule.indexed') : t(`settings:flag.${flag}`)}
        </Pill>
      ))}
    </span>
  );
}

/** The fields that can be restored, with the reason when one cannot. */
function ArchivedFields({ object, onRefused }: { object: ObjectType; onRefused: (reason: string | null) => void }) {
  const { t } = useTranslation(['shape', 'settings']);
  const label = useLabel();
  const { data } = useQuery(archivedQuery());
  const restore = useRestoreField(object.key);
  const fields = (data?.fields ?? []).filter((field) => field.object === object.key);
  if (fields.length === 0) return null;
  return (
    <Panel title={t('shape:archived.fields')} aside={t('shape:archived.kept')}>
      <ul className={css.archived}>
        {fields.map((field) => (
          <li key={field.key}>
            <TypeIcon type={field.type} />
            <span className="grow truncate">
              {label(field.label, field.key)} <code className="muted">{field.key}</code>
            </span>
            <Button
              aria-label={t('shape:archived.restoreOf', { name: label(field.label, field.key) })}
              loading={restore.isPending && restore.variables === field.key}
              onClick={() =>
                restore.mutate(field.key, {
                  onSuccess: () => {
                    onRefused(null);
                    toast.ok(t('shape:archived.restored', { name: label(field.label, field.key) }));
                  },
                  onError: (error) => onRefused(error.message),
                })
              }
            >
              {t('shape:archived.restore')}
            </Button>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

interface Props {
  object: ObjectType;
  /** Whether this person may shape the workspace. */
  editable: boolean;
}

/** The fields of an object: found, made, changed, put in order, archived and restored. */
export function ObjectFields({ object, editable }: Props) {
  const { t } = useTranslation(['settings', 'shape', 'common', 'convert']);
  const label = useLabel();
  const [search, setSearch] = useState('');
  const [edited, setEdited] = useState<Field | 'new' | null>(null);
  const [refused, setRefused] = useState<string | null>(null);
  const own = object.fields.filter((field) => field.custom === true);
  const [converted, setConverted] = useState<string | null>(null);
  const [asked, setAsked] = useState<Field | null>(null);
  const converting = own.find((field) => field.key === converted);
  const change = useChangeField(object.key);
  const archive = useArchiveField(object.key);
  const restore = useRestoreField(object.key);
  const sorting = useSorting(
    own.map((field) => field.key),
    (_, field, position) =>
      change.mutateAsync({ field, change: { position } }).catch((error: Error) => setRefused(error.message)),
  );
  const order = sorting.order.flatMap((key) => own.find((field) => field.key === key) ?? []);
  const rows = [
    ...object.fields.filter((field) => field.custom !== true && !isSystem(field)),
    ...order,
    ...object.fields.filter(isSystem),
  ].filter(
    (field) => matchScore(search, { label: label(field.label, field.key), keywords: `${field.key} ${field.type}` }) > 0,
  );
  const putAway = (field: Field) => {
    const name = label(field.label, field.key);
    archive.mutate(field.key, {
      onSuccess: () => {
        setRefused(null);
        toast.ok(t('shape:archived.done', { name }), {
          action: { label: t('common:undo'), run: () => restore.mutate(field.key) },
        });
      },
      onError: (error) => setRefused(error.message),
    });
  };
  const columns: TableColumn<Field>[] = [
    {
      key: 'label',
      label: t('settings:objects.field'),
      cell: (field) => (
        <Name
          object={object}
          field={field}
          onEdit={editable && !isSystem(field) ? () => setEdited(field) : undefined}
        />
      ),
    },
    {
      key: 'type',
      label: t('settings:objects.type'),
      cell: (field) => (
        <span className={css.type}>
          <TypeIcon type={field.type} size={15} />
          {t(`settings:type.${field.type}`)}
        </span>
      ),
    },
    { key: 'flags', label: t('settings:objects.flags'), minor: true, cell: (field) => <Marks field={field} /> },
    { key: 'more', label: t('settings:objects.details'), minor: true, cell: (field) => <Details field={field} /> },
  ];
  if (editable) {
    if (own.length > 1)
      columns.unshift({
        key: 'handle',
        label: <span className="sr-only">{t('shape:sort.column')}</span>,
        width: 34,
        cell: (field) =>
          field.custom === true && search === '' ? sorting.handle(field.key, label(field.label, field.key)) : null,
      });
    columns.push({
      key: 'actions',
      label: <span className="sr-only">{t('settings:actions')}</span>,
      width: 44,
      cell: (field) =>
        isSystem(field) ? null : (
          <Menu
            target={
              <IconButton
                label={t('settings:actionsOf', { name: label(field.label, field.key) })}
                icon={<IconDots size={16} />}
                tooltip={false}
              />
            }
            position="bottom-end"
            entries={[
              { label: t('common:edit'), icon: <IconPencil size={15} />, onSelect: () => setEdited(field) },
              ...((field.conversions ?? []).length > 0
                ? [
                    {
                      label: t('convert:menu'),
                      icon: <IconTransform size={15} />,
                      onSelect: () => setConverted(field.key),
                    },
                  ]
                : []),
              ...(field.custom === true
                ? [
                    {
                      label: t('convert:used'),
                      icon: <IconSearch size={15} />,
                      onSelect: () => setAsked(field),
                    },
                    {
                      label: t('shape:archived.archive'),
                      icon: <IconArchive size={15} />,
                      danger: true,
                      onSelect: () => putAway(field),
                    },
                  ]
                : []),
            ]}
          />
        ),
    });
  }
  return (
    <div className="stack">
      <div className={css.bar}>
        <div className={css.search}>
          <SearchInput
            aria-label={t('settings:objects.search')}
            placeholder={t('settings:objects.search')}
            value={search}
            onChange={setSearch}
          />
        </div>
        <span className="grow" />
        {editable && (
          <Button kind="primary" icon={<IconPlus size={15} />} onClick={() => setEdited('new')}>
            {t('shape:field.add')}
          </Button>
        )}
      </div>
      {refused !== null && (
        <div className={css.refused} role="alert">
          <span className="grow">{refused}</span>
          <Button kind="subtle" onClick={() => setRefused(null)}>
            {t('shape:understood')}
          </Button>
        </div>
      )}
      <div className={css.boxed}>
        <Table
          label={t('settings:objects.fieldsOf', { name: label(object.label, object.key) })}
          rows={rows}
          rowKey={(field) => field.key}
          empty={<EmptyState compact cause="no_match" />}
          columns={columns}
        />
      </div>
      {sorting.status}
      {editable && <ArchivedFields object={object} onRefused={setRefused} />}
      {asked !== null && (
        <Suspense>
          <UsesDialog
            object={object.key}
            field={asked.key}
            name={label(asked.label, asked.key)}
            onClose={() => setAsked(null)}
          />
        </Suspense>
      )}
      {converting !== undefined && (
        <Suspense>
          <ConvertPanel object={object} field={converting} onClose={() => setConverted(null)} />
        </Suspense>
      )}
      {edited !== null && (
        <FieldPanel object={object} field={edited === 'new' ? undefined : edited} onClose={() => setEdited(null)} />
      )}
    </div>
  );
}
