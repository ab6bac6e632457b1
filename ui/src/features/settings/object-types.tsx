import {
  type Icon,
  IconAddressBook,
  IconAlignLeft,
  IconArrowsSplit2,
  IconAt,
  IconBraces,
  IconCake,
  IconCalendar,
  IconCalendarTime,
  IconCash,
  IconCircleDot,
  IconEye,
  IconHash,
  IconHourglass,
  IconLink,
  IconLinkPlus,
  IconListCheck,
  IconListNumbers,
  IconMap,
  IconMapPin,
  IconMathFunction,
  IconPaperclip,
  IconPercentage,
  IconPhone,
  IconPhoto,
  IconSquareCheck,
  IconStar,
  IconSum,
  IconTags,
  IconTypography,
  IconUser,
} from '@tabler/icons-react';
import type { FieldType } from '@/api';
import { useTranslation } from '@/i18n';
import { TYPE_GROUPS } from './object-draft';
import css from './object-grid.module.css';

const ICONS = {
  text: IconTypography,
  long_text: IconAlignLeft,
  number: IconHash,
  money: IconCash,
  bool: IconSquareCheck,
  date: IconCalendar,
  datetime: IconCalendarTime,
  choice: IconCircleDot,
  multi_choice: IconListCheck,
  tags: IconTags,
  phone: IconPhone,
  email: IconAt,
  url: IconLink,
  region: IconMap,
  address: IconMapPin,
  relation: IconArrowsSplit2,
  relation_many: IconAddressBook,
  user: IconUser,
  auto_number: IconListNumbers,
  birthday: IconCake,
  json: IconBraces,
  record: IconLinkPlus,
  percent: IconPercentage,
  duration: IconHourglass,
  rating: IconStar,
  file: IconPaperclip,
  image: IconPhoto,
} satisfies Record<FieldType, Icon>;

export function TypeIcon({ type, size = 16 }: { type: FieldType; size?: number }) {
  const Sign = ICONS[type] ?? IconTypography;
  return <Sign size={size} stroke={1.6} aria-hidden />;
}

/** Fields that nobody fills in. */
const COMPUTED_KINDS = ['formula', 'lookup', 'rollup'] as const;
export type ComputedKind = (typeof COMPUTED_KINDS)[number];
const COMPUTED_ICONS = { formula: IconMathFunction, lookup: IconEye, rollup: IconSum } satisfies Record<
  ComputedKind,
  Icon
>;

export function ComputedIcon({ kind, size = 16 }: { kind: ComputedKind; size?: number }) {
  const Sign = COMPUTED_ICONS[kind];
  return <Sign size={size} stroke={1.6} aria-hidden />;
}

interface GridProps {
  /** Types that make no sense here are left out. */
  leaveOut?: readonly FieldType[];
  onPick: (type: FieldType) => void;
  onComputed: (kind: ComputedKind) => void;
  /** Whether records of other objects point here, and whether this object points at others. */
  related: boolean;
  relations: boolean;
}

/** What a new field can hold, each type with what it is for. */
export function TypeGrid({ leaveOut = [], onPick, onComputed, related, relations }: GridProps) {
  const { t } = useTranslation(['shape', 'settings', 'formula']);
  return (
    <div className={css.typeGroups}>
      {TYPE_GROUPS.map((group) => (
        <section key={group.key}>
          <h3 className={css.groupName}>{t(`shape:types.${group.key}`)}</h3>
          <div className={css.typeGrid}>
            {group.types
              .filter((type) => !leaveOut.includes(type))
              .map((type) => (
                <button key={type} type="button" className={css.typeCard} onClick={() => onPick(type)}>
                  <span className={css.typeIcon}>
                    <TypeIcon type={type} size={17} />
                  </span>
                  <span className={css.typeWords}>
                    <span className={css.typeName}>{t(`settings:type.${type}`)}</span>
                    <span className={css.typeHelp}>{t(`shape:typeHelp.${type}`)}</span>
                  </span>
                </button>
              ))}
          </div>
        </section>
      ))}
      <section>
        <h3 className={css.groupName}>{t('formula:group')}</h3>
        <div className={css.typeGrid}>
          {COMPUTED_KINDS.filter((kind) => (kind !== 'rollup' || related) && (kind !== 'lookup' || relations)).map(
            (kind) => (
              <button key={kind} type="button" className={css.typeCard} onClick={() => onComputed(kind)}>
                <span className={css.typeIcon}>
                  <ComputedIcon kind={kind} size={17} />
                </span>
                <span className={css.typeWords}>
                  <span className={css.typeName}>{t(`formula:${kind}.name`)}</span>
                  <span className={css.typeHelp}>{t(`formula:${kind}.help`)}</span>
                </span>
              </button>
            ),
          )}
        </div>
      </section>
    </div>
  );
}
