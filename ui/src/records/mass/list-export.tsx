import type { ObjectType, Segment } from '@/api';
import { useFormat, useLabel } from '@/i18n';
import { selectAll } from '../grid/selection';
import { setOf } from '../list/bulk-bar';
import type { Total } from '../list/list-footer';
import type { List } from '../list/use-list';
import { ExportDialog } from './export-dialog';
import { useJobNews } from './news';

/** Everything that a list shows, in its order and with its columns. */
export function ListExport({ list, total, onClose }: { list: List; total: Total; onClose: () => void }) {
  const fmt = useFormat();
  const label = useLabel();
  const { follow } = useJobNews();
  return (
    <ExportDialog
      object={list.object}
      set={setOf(selectAll(), list)}
      sort={list.state.sort}
      columns={list.columns.map((column) => column.key)}
      count={total.count === null ? '' : `${fmt.number(total.count)}${total.exact ? '' : '+'}`}
      name={list.view?.name || label(list.object.plural, list.object.key)}
      onClose={onClose}
      onStarted={follow}
    />
  );
}

/** The members of a segment, with the columns that lists of customers begin with. */
export function SegmentExport({
  object,
  segment,
  onClose,
}: {
  object: ObjectType;
  segment: Segment;
  onClose: () => void;
}) {
  const fmt = useFormat();
  const { follow } = useJobNews();
  return (
    <ExportDialog
      object={object}
      set={{ segment: segment.key }}
      sort={[]}
      columns={object.default_columns}
      count={segment.size === null ? '' : fmt.number(segment.size)}
      name={segment.label}
      onClose={onClose}
      onStarted={follow}
    />
  );
}
