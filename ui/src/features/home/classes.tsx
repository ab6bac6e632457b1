import { Link } from '@tanstack/react-router';
import type { CSSProperties } from 'react';
import type { HomeGroup } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { Panel } from '@/ui';
import { hueFill, StackBar, Swatch } from '@/ui/chart';
import css from './home.module.css';
import { ListLink } from './list-link';

const totalOf = (groups: readonly HomeGroup[]) =>
  Math.max(
    1,
    groups.reduce((sum, group) => sum + group.count, 0),
  );

function EditLink({ to }: { to: string }) {
  const { t } = useTranslation('home');
  return (
    <Link to="/classifications/$key" params={{ key: to }} className={css.asideLink}>
      {t('home:editClasses')}
    </Link>
  );
}

/** The stages one under the other, as bars; each opens its customers. */
export function Lifecycle({ groups }: { groups: readonly HomeGroup[] }) {
  const { t } = useTranslation('home');
  const fmt = useFormat();
  const label = useLabel();
  if (groups.length === 0) return null;
  const total = totalOf(groups);
  const most = Math.max(1, ...groups.map((group) => group.count));
  return (
    <Panel title={t('home:lifecycle')} aside={<EditLink to="lifecycle" />}>
      <ul className={css.bars}>
        {groups.map((group) => (
          <li key={group.key}>
            <ListLink where={group.where} className={css.bar}>
              <span className={css.barName}>{label(group.label, group.key)}</span>
              <span className={css.barTrack} aria-hidden>
                <span
                  className={css.barFill}
                  style={{ width: `${(group.count / most) * 100}%`, '--fill': hueFill(group.color) } as CSSProperties}
                />
              </span>
              <span className={css.barCount}>{fmt.number(group.count)}</span>
              <span className={css.barShare}>{fmt.percent(group.count / total, 1)}</span>
            </ListLink>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

export function ValueTiers({ groups }: { groups: readonly HomeGroup[] }) {
  const { t } = useTranslation('home');
  const fmt = useFormat();
  const label = useLabel();
  if (groups.length === 0) return null;
  const total = totalOf(groups);
  const parts = groups.map((group) => ({
    key: group.key,
    label: label(group.label, group.key),
    color: group.color,
    value: group.count,
  }));
  return (
    <Panel title={t('home:valueTiers')} aside={<EditLink to="value_tier" />}>
      <StackBar
        height={16}
        parts={parts}
        label={parts.map((part) => `${part.label} ${fmt.percent(part.value / total, 0)}`).join(', ')}
      />
      <ul className={css.legendList}>
        {groups.map((group) => (
          <li key={group.key}>
            <ListLink where={group.where} className={css.legendRow}>
              <Swatch color={group.color}>{label(group.label, group.key)}</Swatch>
              <span className={css.barCount}>{fmt.number(group.count)}</span>
              <span className={css.barShare}>{fmt.percent(group.count / total, 1)}</span>
            </ListLink>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
