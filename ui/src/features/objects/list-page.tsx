import { IconDots, IconDownload, IconLink, IconPlus, IconTrash } from '@tabler/icons-react';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import type { ObjectType, RecordData } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useIsPhone } from '@/lib/hooks';
import { useCan, useObject } from '@/metadata';
import { RecordList } from '@/records/list/record-list';
import { rememberList } from '@/records/list-context';
import type { ListSearch } from '@/records/search';
import { useCommands, usePeek, useShortcuts } from '@/shell';
import { Button, Closed, IconButton, Menu, Page, toast } from '@/ui';
import css from './objects.module.css';

const RecordForm = lazy(() => import('@/records/form/record-form').then((module) => ({ default: module.RecordForm })));

export function ListPage() {
  const { object: key = '' } = useParams({ strict: false });
  const object = useObject(key);
  if (object === undefined) return <Closed cause="not_found" />;
  // Another object is another list, with a selection and widths of its own.
  return <ObjectList key={key} object={object} />;
}

function ObjectList({ object }: { object: ObjectType }) {
  const { t } = useTranslation(['records', 'common', 'shell']);
  const label = useLabel();
  const phone = useIsPhone();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as ListSearch & { peek?: string };
  const { stack, open } = usePeek();
  const setSearch = (patch: Partial<ListSearch>, replace = false) => {
    navigate({
      to: '.',
      search: ((old: Record<string, unknown>) => ({ ...old, ...patch })) as never,
      replace,
    });
  };
  // Called for every row that is drawn: plain text, not the router's builder.
  const hrefOf = (record: RecordData) => `/o/${object.key}/${record.id}`;
  const can = useCan();
  const [exporting, setExporting] = useState(false);
  const creating = search.new === true && object.actions.create;
  const startNew = () => setSearch({ new: true });
  const top = stack[0];

  useShortcuts(
    object.actions.create
      ? [
          {
            keys: 'n',
            label: t('records:list.newOne', { name: label(object.label) }),
            group: t('shell:shortcuts.list'),
            run: startNew,
          },
        ]
      : [],
  );
  useCommands([
    {
      id: 'records.bin',
      label: t('records:bin.open', { name: label(object.plural) }),
      run: () => setSearch({ deleted: true, where: undefined }),
    },
  ]);
  const copyLink = async () => {
    await navigator.clipboard.writeText(location.href);
    toast.ok(t('common:copied'));
  };

  return (
    <Page
      title={label(object.plural, object.key)}
      layout="fill"
      actions={
        <>
          <Menu
            target={<IconButton label={t('common:more')} icon={<IconDots size={16} />} aria-haspopup="menu" />}
            entries={[
              { label: t('records:list.copyLink'), icon: <IconLink size={15} />, onSelect: () => void copyLink() },
              ...(can('export.run') && search.deleted !== true
                ? [
                    {
                      label: t('records:list.export'),
                      icon: <IconDownload size={15} />,
                      onSelect: () => setExporting(true),
                    },
                  ]
                : []),
              {
                label: t('records:bin.title'),
                icon: <IconTrash size={15} />,
                checked: search.deleted === true,
                onSelect: () => setSearch({ deleted: search.deleted ? undefined : true }),
              },
            ]}
          />
          {object.actions.create && !phone && (
            <Button kind="primary" icon={<IconPlus size={15} />} onClick={startNew}>
              {t('records:list.new')}
            </Button>
          )}
        </>
      }
    >
      <RecordList
        object={object}
        search={search}
        setSearch={setSearch}
        phone={phone}
        peeked={top?.object === object.key ? top.id : undefined}
        exporting={exporting}
        onExported={() => setExporting(false)}
        hrefOf={hrefOf}
        onOpen={(record, how, { row, query }) => {
          if (how === 'peek') {
            open({ object: object.key, id: record.id });
            return;
          }
          const { peek: _, ...from } = search;
          rememberList({ object: object.key, search: from, query, row, id: record.id });
          if (how === 'tab') window.open(hrefOf(record), '_blank', 'noopener');
          else navigate({ to: '/o/$object/$id', params: { object: object.key, id: record.id } });
        }}
      />
      {phone && object.actions.create && (
        <button
          type="button"
          className={css.fab}
          aria-label={t('records:list.newOne', { name: label(object.label) })}
          onClick={startNew}
        >
          <IconPlus size={24} />
        </button>
      )}
      <Suspense>
        {creating && (
          <RecordForm
            object={object}
            onClose={() => setSearch({ new: undefined }, true)}
            onCreated={(record) => {
              toast.ok(t('records:list.created', { name: record.title }));
              navigate({
                to: '/o/$object',
                params: { object: object.key },
                search: { ...search, new: undefined, peek: `${object.key}:${record.id}` } as never,
                replace: true,
              });
            }}
          />
        )}
      </Suspense>
    </Page>
  );
}
