import type { ConfigDifference, FieldError } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useObjects } from '@/metadata';
import { Checkbox, Pill } from '@/ui';
import css from './config.module.css';

const partsOf = (path: string) =>
  path
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));

/** What differs stands together by section, and of objects and views by object. */
const groupOf = (path: string) => {
  const parts = partsOf(path);
  return parts[0] === 'objects' || parts[0] === 'views' ? `${parts[0]}/${parts[1]}` : (parts[0] ?? '');
};

const shown = (value: unknown): string => {
  if (value === null || value === undefined) return '\u2013';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

const COLORS = { added: 'green', changed: 'blue', only_here: 'gray' };

interface RowProps {
  item: ConfigDifference;
  on: boolean;
  problems: readonly FieldError[];
  onChoose: (paths: readonly string[], on: boolean) => void;
}

function Row({ item, on, problems, onChoose }: RowProps) {
  const { t } = useTranslation('config');
  const label = useLabel();
  const parts = partsOf(item.path);
  const kind = parts[0] === 'objects' ? (parts[2] ?? '') : (parts[0] ?? '');
  const key = parts.at(-1) ?? '';
  const said = label(item.label);
  const name = kind === 'settings' || said === '' ? t(`config:item.${key}`, { defaultValue: key }) : said;
  const mine = problems.filter((each) => each.location === item.path || each.location.startsWith(`${item.path}/`));
  return (
    <li className={css.item}>
      <div className={css.line}>
        <Checkbox
          label={name}
          checked={on}
          disabled={item.change === 'only_here' && !item.archivable}
          onChange={(next) => onChoose([item.path], next)}
        />
        <span className="muted">{t(`config:kind.${kind}`)}</span>
        <Pill color={COLORS[item.change]}>
          {item.change === 'only_here' && on ? t('config:change.archive') : t(`config:change.${item.change}`)}
        </Pill>
      </div>
      {mine.map((each) => (
        <p key={each.location + each.code} className={css.problem}>
          {each.message}
          <code>{each.location}</code>
        </p>
      ))}
      <details className={css.details} open={item.change === 'changed'}>
        <summary>{t('config:values', { count: item.members.length })}</summary>
        <dl className={css.members}>
          {item.members.map((member) => (
            <div key={member.path}>
              <dt>{member.path}</dt>
              <dd>
                {item.change !== 'added' && <del>{shown(member.before)}</del>}
                {item.change !== 'only_here' && <ins>{shown(member.after)}</ins>}
              </dd>
            </div>
          ))}
        </dl>
      </details>
    </li>
  );
}

interface Props {
  items: readonly ConfigDifference[];
  chosen: ReadonlySet<string>;
  problems: readonly FieldError[];
  onChoose: (paths: readonly string[], on: boolean) => void;
}

/** Differences with what was and would be, each with a box. */
export function ConfigTree({ items, chosen, problems, onChoose }: Props) {
  const { t } = useTranslation('config');
  const label = useLabel();
  const objects = useObjects();
  const groups = new Map<string, ConfigDifference[]>();
  for (const item of items) groups.set(groupOf(item.path), [...(groups.get(groupOf(item.path)) ?? []), item]);
  const title = (group: string) => {
    const [section = '', object] = group.split('/');
    if (object === undefined) return t(`config:section.${section}`);
    const known = objects.find((each) => each.key === object);
    return `${t(`config:section.${section}`)} \u00b7 ${known === undefined ? object : label(known.label)}`;
  };
  return (
    <div className={css.tree}>
      {[...groups].map(([group, mine]) => {
        const free = mine.filter((item) => item.change !== 'only_here').map((item) => item.path);
        const some = free.filter((path) => chosen.has(path)).length;
        return (
          <section key={group} className={css.group}>
            <h3 className={css.groupTitle}>
              <Checkbox
                label={title(group)}
                checked={free.length > 0 && some === free.length}
                indeterminate={some > 0 && some < free.length}
                disabled={free.length === 0}
                onChange={(on) => onChoose(free, on)}
              />
            </h3>
            <ul className={css.items}>
              {mine.map((item) => (
                <Row key={item.path} item={item} on={chosen.has(item.path)} problems={problems} onChoose={onChoose} />
              ))}
            </ul>
          </section>
        );
      })}
    </div>
  );
}
