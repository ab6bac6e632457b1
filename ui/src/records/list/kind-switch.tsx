import { IconCalendar, IconCheck, IconLayoutGrid, IconLayoutKanban, IconTable } from '@tabler/icons-react';
import { VIEW_KINDS, type ViewKind } from '@/api';
import { useTranslation } from '@/i18n';
import { IconButton, Menu, SegmentedControl } from '@/ui';
import css from './list.module.css';
import type { List } from './use-list';

const ICONS = { list: IconTable, board: IconLayoutKanban, calendar: IconCalendar, cards: IconLayoutGrid };

/** Table, board, calendar or cards: every object has all of them. */
export function KindSwitch({ list, compact }: { list: List; compact: boolean }) {
  const { t } = useTranslation('views');
  const { kind } = list.state;
  const choose = (next: ViewKind) => list.set({ kind: next });
  if (compact) {
    const Sign = ICONS[kind];
    return (
      <Menu
        target={<IconButton kind="default" label={t('kind.label')} icon={<Sign size={17} />} aria-haspopup="menu" />}
        entries={VIEW_KINDS.map((one) => {
          const Icon = ICONS[one];
          return {
            label: t(`kind.${one}`),
            icon: one === kind ? <IconCheck size={15} /> : <Icon size={15} />,
            onSelect: () => choose(one),
          };
        })}
      />
    );
  }
  return (
    <SegmentedControl
      label={t('kind.label')}
      value={kind}
      onChange={choose}
      options={VIEW_KINDS.map((one) => {
        const Icon = ICONS[one];
        return {
          value: one,
          label: (
            <span className={css.kind} title={t(`kind.${one}`)}>
              <Icon size={15} aria-hidden />
              <span className={one === kind ? undefined : 'sr-only'}>{t(`kind.${one}`)}</span>
            </span>
          ),
        };
      })}
    />
  );
}
