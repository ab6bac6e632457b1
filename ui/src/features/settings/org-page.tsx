import { IconDots, IconFolderPlus, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { orgQuery, type Unit, type User, useDeleteUnit, usersQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import {
  Avatar,
  Button,
  confirm,
  EmptyState,
  ErrorState,
  IconButton,
  Menu,
  type MenuEntry,
  Panel,
  SkeletonRows,
  toast,
} from '@/ui';
import css from './org.module.css';
import { UnitDialog, type UnitDraft } from './org-unit-dialog';

interface RowProps {
  unit: Unit;
  depth: number;
  people: readonly User[];
  onEdit: (draft: UnitDraft) => void;
}

function UnitRow({ unit, depth, people, onEdit }: RowProps) {
  const { t } = useTranslation(['rights', 'common']);
  const remove = useDeleteUnit();
  const inside = people.filter((user) => unit.members.includes(user.id));
  const entries: MenuEntry[] = [
    { label: t('common:edit'), icon: <IconPencil size={15} />, onSelect: () => onEdit({ unit }) },
  ];
  if (unit.kind === 'department')
    entries.push({
      label: t('rights:org.addBelow'),
      icon: <IconFolderPlus size={15} />,
      onSelect: () => onEdit({ kind: 'department', parent: unit.id }),
    });
  entries.push({
    label: t('common:delete'),
    icon: <IconTrash size={15} />,
    danger: true,
    onSelect: async () => {
      const sure = await confirm({
        title: t('rights:org.deleteTitle', { name: unit.name }),
        text: t('rights:org.deleteText'),
        confirm: t('common:delete'),
        danger: true,
      });
      if (sure) remove.mutate(unit.id, { onError: (error) => toast.error(error.message) });
    },
  });
  return (
    <li className={css.unit} style={{ paddingInlineStart: 12 + depth * 22 }}>
      <span className={css.name}>
        <button type="button" className={css.open} onClick={() => onEdit({ unit })}>
          {unit.name}
        </button>
        <span className="muted">{t('rights:org.people', { count: inside.length })}</span>
      </span>
      <span className={css.faces}>
        {inside.slice(0, 5).map((user) => (
          <span key={user.id} title={user.name || user.email}>
            <Avatar name={user.name || user.email} size={22} shape="round" />
          </span>
        ))}
        {inside.length > 5 && <span className="muted">+{inside.length - 5}</span>}
      </span>
      <Menu
        target={
          <IconButton
            label={t('rights:org.actionsOf', { name: unit.name })}
            icon={<IconDots size={16} />}
            tooltip={false}
          />
        }
        entries={entries}
      />
    </li>
  );
}

/** Departments under each other, each after its parent. */
export function inOrder(units: readonly Unit[]): { unit: Unit; depth: number }[] {
  const out: { unit: Unit; depth: number }[] = [];
  const visit = (parent: string | null, depth: number) => {
    for (const unit of units.filter((each) => each.parent === parent)) {
      out.push({ unit, depth });
      if (depth < 20) visit(unit.id, depth + 1);
    }
  };
  visit(null, 0);
  return out;
}

/** Departments as a tree, teams as a list, and who is in which. */
export function OrgPage() {
  const { t } = useTranslation(['rights', 'settings', 'common']);
  const can = useCan();
  const [edited, setEdited] = useState<UnitDraft | null>(null);
  const org = useQuery(orgQuery());
  const users = useQuery(usersQuery());
  if (!can('user.manage')) return <EmptyState cause="no_permission" />;
  const people = users.data?.items ?? [];
  const units = org.data?.items ?? [];
  const part = (kind: Unit['kind']) => {
    const mine = inOrder(units.filter((unit) => unit.kind === kind));
    return (
      <Panel
        flush
        title={t(`rights:org.${kind}s`)}
        aside={
          <Button icon={<IconPlus size={15} />} onClick={() => setEdited({ kind })}>
            {t(`rights:org.new.${kind}`)}
          </Button>
        }
      >
        {org.isPending && <SkeletonRows rows={3} />}
        {org.isError && org.data === undefined && (
          <ErrorState compact error={org.error} onRetry={() => org.refetch()} />
        )}
        {org.data !== undefined && mine.length === 0 && (
          <EmptyState
            compact
            cause="none"
            title={t(`rights:org.none.${kind}`)}
            text={t(`rights:org.noneText.${kind}`)}
          />
        )}
        {mine.length > 0 && (
          <ul className={css.tree}>
            {mine.map(({ unit, depth }) => (
              <UnitRow key={unit.id} unit={unit} depth={depth} people={people} onEdit={setEdited} />
            ))}
          </ul>
        )}
      </Panel>
    );
  };
  return (
    <div className="stack">
      {part('department')}
      {part('team')}
      {edited !== null && <UnitDialog draft={edited} units={units} people={people} onClose={() => setEdited(null)} />}
    </div>
  );
}
