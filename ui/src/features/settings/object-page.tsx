import { IconCheck, IconLock } from '@tabler/icons-react';
import { Link, useParams } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { Field } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { matchScore } from '@/lib/match';
import { findObject, useObjects } from '@/metadata';
import { BackLink, Button, Dot, EmptyState, ObjectIcon, Pill, SearchInput, Table, Tooltip } from '@/ui';
import css from './settings.module.css';

const FLAGS = ['required', 'unique', 'personal', 'read_only', 'searchable'] as const;
const FLAG_COLORS = {
  required: 'amber',
  unique: 'blue',
  personal: 'red',
  read_only: 'gray',
  searchable: 'green',
} as const;

function Details({ field }: { field: Field }) {
  const { t } = useTranslation('settings');
  const label = useLabel();
  const objects = useObjects();
  const [all, setAll] = useState(false);
  const target = findObject(objects, field.target);
  if (field.options !== undefined && field.options.length > 0) {
    const shown = all ? field.options : field.options.slice(0, 6);
    return (
      <span className={css.options}>
        {shown.map((option) => (
          <Dot key={option.key} color={option.color ?? 'gray'}>
            {label(option.label, option.key)}
          </Dot>
        ))}
        {field.options.length > shown.length && (
          <Button kind="subtle" onClick={() => setAll(true)}>
            {t('settings:objects.moreOptions', { count: field.options.length - shown.length })}
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
  return <span className="muted">{label(field.help)}</span>;
}

export function ObjectPage() {
  const { t } = useTranslation('settings');
  const label = useLabel();
  const { object: key = '' } = useParams({ strict: false });
  const object = findObject(useObjects(), key);
  const [search, setSearch] = useState('');
  const fields = useMemo(
    () =>
      (object?.fields ?? []).filter(
        (field) =>
          matchScore(search, { label: label(field.label, field.key), keywords: `${field.key} ${field.type}` }) > 0,
      ),
    [object, search, label],
  );
  if (object === undefined) return <EmptyState cause="not_found" />;
  return (
    <div className="stack">
      <div className={css.objectHead}>
        <BackLink to="/settings/objects" label={t('settings:objects.back')} />
        <ObjectIcon name={object.icon} size={18} />
        <h2>{label(object.label, object.key)}</h2>
        <code className="muted">{object.key}</code>
        <span className="grow" />
        <div className={css.search}>
          <SearchInput
            aria-label={t('settings:objects.search')}
            placeholder={t('settings:objects.search')}
            value={search}
            onChange={setSearch}
          />
        </div>
      </div>
      <div className={css.boxed}>
        <Table
          label={t('settings:objects.fieldsOf', { name: label(object.label, object.key) })}
          rows={fields}
          rowKey={(field) => field.key}
          empty={<EmptyState compact cause="no_match" />}
          columns={[
            {
              key: 'label',
              label: t('settings:objects.field'),
              cell: (field) => (
                <span className={css.twoLines}>
                  <span className="row">
                    {label(field.label, field.key)}
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
              ),
            },
            { key: 'type', label: t('settings:objects.type'), cell: (field) => t(`settings:type.${field.type}`) },
            {
              key: 'flags',
              label: t('settings:objects.flags'),
              minor: true,
              cell: (field) => (
                <span className={css.pills}>
                  {FLAGS.filter((flag) => field[flag]).map((flag) => (
                    <Pill key={flag} color={FLAG_COLORS[flag]}>
                      {t(`settings:flag.${flag}`)}
                    </Pill>
                  ))}
                </span>
              ),
            },
            {
              key: 'more',
              label: t('settings:objects.details'),
              minor: true,
              cell: (field) => <Details field={field} />,
            },
          ]}
        />
      </div>
    </div>
  );
}
