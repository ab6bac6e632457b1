import { IconArrowDown, IconArrowUp, IconDots, IconGripVertical, IconPencil, IconTrash } from '@tabler/icons-react';
import type { KeyboardEvent, PointerEvent, ReactNode, Ref } from 'react';
import type { ClassRule } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { Button, IconButton, Menu, TextInput } from '@/ui';
import type { ClassesAction, ClassFault } from './classes';
import css from './classifications.module.css';
import { ColorPicker } from './color-picker';

interface Props {
  rule: ClassRule;
  at: number;
  /** How many rows can be moved: "everyone else" cannot. */
  movable: number;
  rest: boolean;
  sentence: ReactNode;
  size: { count: number; before: number } | null;
  fault: ClassFault | undefined;
  refused: string | undefined;
  dragging: boolean;
  readOnly: boolean;
  dispatch: (action: ClassesAction) => void;
  onMove: (key: string, to: number) => void;
  onEdit: () => void;
  onGrab: (event: PointerEvent<HTMLButtonElement>) => void;
  ref: Ref<HTMLLIElement>;
}

function Size({ size }: { size: Props['size'] }) {
  const fmt = useFormat();
  const { t } = useTranslation('classifications');
  if (size === null) return <span className={css.size}>{'\u2013'}</span>;
  const change = size.count - size.before;
  return (
    <span className={css.size}>
      <span className={css.sizeNow}>{fmt.number(size.count)}</span>
      {change !== 0 && (
        <span
          className={css.sizeChange}
          data-up={change > 0 || undefined}
          title={t('classifications:before', { count: size.before, shown: fmt.number(size.before) })}
        >
          {change > 0 ? '+' : '\u2212'}
          {fmt.number(Math.abs(change))}
        </span>
      )}
    </span>
  );
}

function MoveMenu({
  rule,
  at,
  movable,
  rest,
  dispatch,
  onMove,
}: Pick<Props, 'rule' | 'at' | 'movable' | 'rest' | 'dispatch' | 'onMove'>) {
  const { t } = useTranslation(['classifications', 'common']);
  const name = useLabel()(rule.label, rule.key) || rule.key;
  return (
    <Menu
      target={
        <IconButton label={t('classifications:actionsOf', { name })} icon={<IconDots size={16} />} tooltip={false} />
      }
      entries={[
        {
          label: t('classifications:moveUp'),
          icon: <IconArrowUp size={15} />,
          disabled: rest || at === 0,
          onSelect: () => onMove(rule.key, at - 1),
        },
        {
          label: t('classifications:moveDown'),
          icon: <IconArrowDown size={15} />,
          disabled: rest || at >= movable - 1,
          onSelect: () => onMove(rule.key, at + 1),
        },
        { divider: true },
        {
          label: t('common:delete'),
          icon: <IconTrash size={15} />,
          danger: true,
          onSelect: () => dispatch({ type: 'remove', key: rule.key }),
        },
      ]}
    />
  );
}

export function ClassRow(props: Props) {
  const {
    rule,
    at,
    movable,
    rest,
    sentence,
    size,
    fault,
    refused,
    dragging,
    readOnly,
    dispatch,
    onMove,
    onEdit,
    onGrab,
    ref,
  } = props;
  const { t } = useTranslation('classifications');
  const name = useLabel()(rule.label, rule.key) || rule.key;
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    onMove(rule.key, at + step);
  };
  const input = (language: 'zh-CN' | 'en') => (
    <TextInput
      aria-label={t(`classifications:labelIn.${language}`, { name })}
      placeholder={t(`classifications:labelPlaceholder.${language}`)}
      value={rule.label[language] ?? ''}
      maxLength={40}
      disabled={readOnly}
      onChange={(text) => dispatch({ type: 'label', key: rule.key, language, text })}
    />
  );
  return (
    <li ref={ref} className={css.row} data-dragging={dragging || undefined} data-rest={rest || undefined}>
      {rest || readOnly ? (
        <span className={css.noGrip} aria-hidden />
      ) : (
        <button
          type="button"
          className={css.grip}
          aria-label={t('classifications:drag', { name, place: at + 1, count: movable })}
          onKeyDown={onKeyDown}
          onPointerDown={onGrab}
        >
          <IconGripVertical size={16} aria-hidden />
        </button>
      )}
      <span className={css.place}>{at + 1}</span>
      <ColorPicker
        label={t('classifications:colorOf', { name })}
        value={rule.color}
        disabled={readOnly}
        onChange={(color) => dispatch({ type: 'color', key: rule.key, color })}
      />
      <div className={css.names}>
        {input('zh-CN')}
        {input('en')}
      </div>
      <div className={css.rule}>
        <span className={css.sentence}>
          {rest ? t('classifications:everyoneElse') : sentence || t('classifications:noCondition')}
        </span>
        {(fault !== undefined || refused !== undefined) && (
          <span className={css.fault} role="alert">
            {refused ?? t(`classifications:fault.${fault}`)}
          </span>
        )}
      </div>
      <Size size={size} />
      <div className={css.rowActions}>
        {!rest && !readOnly && (
          <Button
            kind="subtle"
            icon={<IconPencil size={15} />}
            aria-label={t('classifications:editOf', { name })}
            onClick={onEdit}
          >
            {t('classifications:condition')}
          </Button>
        )}
        {!readOnly && (
          <MoveMenu rule={rule} at={at} movable={movable} rest={rest} dispatch={dispatch} onMove={onMove} />
        )}
      </div>
    </li>
  );
}
