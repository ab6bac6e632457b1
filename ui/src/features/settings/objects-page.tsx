import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { archivedQuery, useRestoreObject } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { matchScore } from '@/lib/match';
import { useCan, useObjects } from '@/metadata';
import { Button, EmptyState, ObjectIcon, Panel, Pill, prose, SearchInput, Table, toast } from '@/ui';
import css from './object.module.css';
import { NewObject } from './object-new';

/** Objects out of use, with their records, to be taken into use again. */
function ArchivedObjects() {
  const { t } = useTranslation('shape');
  const label = useLabel();
  const { data } = useQuery(archivedQuery());
  const restore = useRestoreObject();
  const objects = data?.objects ?? [];
  if (objects.length === 0) return null;
  return (
    <Panel title={t('shape:archived.objects')} aside={t('shape:archived.objectsKept')}>
      <ul className={css.archived}>
        {objects.map((object) => (
          <li key={object.key}>
            <ObjectIcon name={object.icon} />
            <span className="grow truncate">
              {label(object.label, object.key)} <code className="muted">{object.key}</code>
            </span>
            <Button
              aria-label={t('shape:archived.restoreOf', { name: label(object.label, object.key) })}
              loading={restore.isPending && restore.variables === object.key}
              onClick={() =>
                restore.mutate(object.key, {
                  onSuccess: () => toast.ok(t('shape:archived.restored', { name: label(object.label, object.key) })),
                })
              }
            >
              {t('shape:archived.restore')}
            </Button>
          </li>
        ))}
      </ul>
      {restore.isError && (
        <p className={css.refused} role="alert">
          {restore.error.message}
        </p>
      )}
    </Panel>
  );
}

export function ObjectsPage() {
  const { t } = useTranslation(['settings', 'shape']);
  const label = useLabel();
  const can = useCan();
  const navigate = useNavigate();
  const [search, setSearch] = useState('');
  const [making, setMaking] = useState(false);
  const editable = can('schema.manage');
  const objects = useObjects().filter(
    (object) =>
      matchScore(search, {
        label: label(object.label, object.key),
        keywords: `${object.key} ${label(object.plural)}`,
      }) > 0,
  );
  return (
    <div className="stack">
      <div className={css.bar}>
        <div className={css.search}>
          <SearchInput
            aria-label={t('shape:object.search')}
            placeholder={t('shape:object.search')}
            value={search}
            onChange={setSearch}
          />
        </div>
        <span className="grow" />
        {editable ? (
          <Button kind="primary" icon={<IconPlus size={15} />} onClick={() => setMaking(true)}>
            {t('shape:object.new')}
          </Button>
        ) : (
          <span className="muted">{t('shape:object.readOnly')}</span>
        )}
      </div>
      <div className={css.boxed}>
        <Table
          label={t('settings:page.objects')}
          rows={objects}
          rowKey={(object) => object.key}
          empty={<EmptyState compact cause="no_match" />}
          onRowClick={(object) => navigate({ to: '/settings/objects/$object', params: { object: object.key } })}
          columns={[
            {
              key: 'label',
              label: t('settings:objects.object'),
              cell: (object) => (
                <span className="row">
                  <ObjectIcon name={object.icon} />
                  <Link
                    to="/settings/objects/$object"
                    params={{ object: object.key }}
                    className={prose.plain}
                    onClick={(event) => event.stopPropagation()}
                  >
                    {label(object.label, object.key)}
                  </Link>
                </span>
              ),
            },
            {
              key: 'key',
              label: t('settings:objects.key'),
              minor: true,
              cell: (object) => <code className="muted">{object.key}</code>,
            },
            {
              key: 'fields',
              label: t('settings:objects.fields'),
              align: 'right',
              cell: (object) => {
                const own = object.fields.filter((field) => field.custom === true).length;
                return (
                  <span>
                    {object.fields.length}
                    {own > 0 && object.standard && (
                      <span className="muted"> {t('shape:object.ownFields', { count: own })}</span>
                    )}
                  </span>
                );
              },
            },
            {
              key: 'kind',
              label: t('settings:objects.kind'),
              minor: true,
              cell: (object) => (
                <span className={css.pills}>
                  <Pill color={object.standard ? 'gray' : 'violet'}>
                    {object.standard ? t('settings:objects.standard') : t('settings:objects.custom')}
                  </Pill>
                  {object.hidden && <Pill color="gray">{t('settings:objects.hidden')}</Pill>}
                </span>
              ),
            },
          ]}
        />
      </div>
      {editable && <ArchivedObjects />}
      {making && <NewObject onClose={() => setMaking(false)} />}
    </div>
  );
}
