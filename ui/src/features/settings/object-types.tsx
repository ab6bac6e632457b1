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
  IconHash,
  IconHourglass,
  IconLink,
  IconLinkPlus,
  IconListCheck,
  IconListNumbers,
  IconMap,
  IconMapPin,
  IconMathFunction,
  IconPercentage,
  IconPhone,
  IconSquareCheck,
  IconStar,
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
} satisfies Record<FieldType, Icon>;

export function TypeIcon({ type, size = 16 }: { type: FieldType; size?: number }) {
  const Sign = ICONS[type] ?? IconTypography;
  return <Sign size={size} stroke={1.6} aria-hidden />;
}

interface GridProps {
  /** Types that make no sense here are left out. */
  leaveOut?: readonly FieldType[];
  onPick: (type: FieldType) => void;
  onFormula: () => void;
}

/** What a new field can hold, each type with what it is for. */
export function TypeGrid({ leaveOut = [], onPick, onFormula }: GridProps) {
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
          <button type="button" className={css.typeCard} onClick={onFormula}>
            <span className={css.typeIcon}>
              <IconMathFunction size={17} stroke={1.6} aria-hidden />
            </span>
            <span className={css.typeWords}>
              <span className={css.typeName}>{t('formula:name')}</span>
              <span className={css.typeHelp}>{t('formula:help')}</span>
            </span>
          </button>
        </div>
      </section>
    </div>
  );
}
