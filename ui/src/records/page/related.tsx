import { IconExternalLink, IconPlus } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { type RecordData, type Ref, recordKeys, recordPageQuery } from '@/api';
import { kindOf, useFieldContext } from '@/fields';
import { labelText, useFormat, useTranslation } from '@/i18n';
import { findObject, useObjects } from '@/metadata';
import { Button, ButtonLink, EmptyState, ErrorState, SkeletonRows, Table, type TableColumn } from '@/ui';
import { cellValue } from '../cell-value';
import { encodeCondition } from '../conditions/url';
import { makeColumns } from '../grid/columns';
import css from './related.module.css';
import { type Relation, relationWhere } from './related-counts';

const RecordForm = lazy(() => import('../form/record-form').then((module) => ({ default: module.RecordForm })));

const LIMIT = 12;
const COLUMNS = 6;

interface Props {
  relation: Relation;
  /** The record that the others point at. */
  record: Pick<RecordData, 'id' | 'title' | 'object'>;
  onOpenRef: (ref: Ref) => void;
}

/** The newest records that point at this one. The whole list is one click away, with the filter applied. */
export function Related({ relation, record, onOpenRef }: Props) {
  const { t } = useTranslation('records');
  const fmt = useFormat();
  const context = useFieldContext();
  const client = useQueryClient();
  const [adding, setAdding] = useState(false);
  const object = findObject(useObjects(), relation.object);
  const where = relationWhere(relation.via, record.id);
  const answer = useQuery({
    ...recordPageQuery(relation.object, {
      where,
      limit: LIMIT,
      total: 'capped',
      ...(object !== undefined && { sort: object.default_sort }),
    }),
    enabled: object !== undefined,
  });
  if (object === undefined) return <EmptyState cause="no_permission" compact />;
  if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} compact />;
  if (answer.data === undefined) return <SkeletonRows rows={4} />;

  const keys = object.default_columns.filter((key) => key !== relation.via);
  const columns = makeColumns(keys, { object, traits: [], language: context.language, widths: {} })
    .slice(0, COLUMNS)
    .map(
      (column, at): TableColumn<RecordData> => ({
        key: column.key,
        label: column.label,
        align: column.align,
        minor: at > 2 && column.align !== 'right',
        cell: (item) => (
          <span className={at === 0 ? css.first : css.cell}>
            {kindOf(column.field.type).display(cellValue(item, column.key), column.field, context)}
          </span>
        ),
      }),
    );
  const { items, total, total_is_estimate: estimate } = answer.data;
  const plural = labelText(object.plural, context.language, object.key);
  const count = `${fmt.number(total ?? items.length)}${estimate ? '+' : ''}`;
  const add =
    object.actions.create && object.fields.some((field) => field.key === relation.via && field.access === 'write');
  return (
    <div className={css.related}>
      <div className={css.tools}>
        <span className="muted">{t('records:foot.total', { count: total ?? items.length, text: count })}</span>
        <span className="grow" />
        {add && (
          <Button kind="subtle" icon={<IconPlus size={15} />} onClick={() => setAdding(true)}>
            {t('records:related.add', { name: labelText(object.label, context.language) })}
          </Button>
        )}
        {items.length > 0 && (
          <ButtonLink
            kind="subtle"
            icon={<IconExternalLink size={15} />}
            to="/o/$object"
            params={{ object: object.key }}
            search={{ where: encodeCondition(where) }}
          >
            {t('records:related.open')}
          </ButtonLink>
        )}
      </div>
      {items.length === 0 ? (
        <EmptyState cause="none" title={t('records:related.none', { name: plural })} text="" compact />
      ) : (
        <div className={css.frame}>
          <Table
            label={plural}
            columns={columns}
            rows={items}
            rowKey={(item) => item.id}
            onRowClick={(item) => onOpenRef({ id: item.id, title: item.title, object: item.object })}
          />
        </div>
      )}
      <Suspense>
        {adding && (
          <RecordForm
            object={object}
            given={{ [relation.via]: { id: record.id, title: record.title, object: record.object } satisfies Ref }}
            onClose={() => setAdding(false)}
            onCreated={() => {
              setAdding(false);
              client.invalidateQueries({ queryKey: recordKeys.object(object.key) });
            }}
          />
        )}
      </Suspense>
    </div>
  );
}
