import { IconInfoCircle } from '@tabler/icons-react';
import { useState } from 'react';
import type { ProfileTrait, Trait } from '@/api';
import { useFieldContext } from '@/fields';
import { labelText, useFormat, useTranslation } from '@/i18n';
import { traitText } from '@/records/trait-text';
import { EmptyState, Popover } from '@/ui';
import { ClassHistory } from './class-history';
import css from './customers.module.css';
import { Scores } from './scores';

interface Group {
  key: string;
  label: ProfileTrait['group'];
  traits: ProfileTrait[];
}

function grouped(traits: readonly ProfileTrait[]): Group[] {
  const groups = new Map<string, Group>();
  for (const trait of traits) {
    const group = groups.get(trait.group_key) ?? { key: trait.group_key, label: trait.group, traits: [] };
    group.traits.push(trait);
    groups.set(trait.group_key, group);
  }
  return [...groups.values()];
}

/** Everything that is computed about a customer. Each figure explains itself when it is pressed. */
export function TraitsPanel({
  id,
  traits,
  definitions,
}: {
  id: string;
  traits: readonly ProfileTrait[];
  definitions: readonly Trait[];
}) {
  const { t } = useTranslation('customers');
  const context = useFieldContext();
  const fmt = useFormat();
  const unitOf = (key: string) => definitions.find((definition) => definition.key === key)?.unit;
  const [explained, setExplained] = useState('');
  if (traits.length === 0) return <EmptyState cause="none" title={t('customers:traits.none')} text="" compact />;
  return (
    <div className={css.groups}>
      <Scores id={id} />
      <ClassHistory id={id} />
      {grouped(traits).map((group) => (
        <section key={group.key} className={css.group}>
          <h2 className={css.groupHead}>{labelText(group.label, context.language, group.key)}</h2>
          <ul className={css.traits}>
            {group.traits.map((trait) => {
              const name = labelText(trait.label, context.language, trait.key);
              const open = explained === trait.key;
              return (
                <li key={trait.key}>
                  <Popover
                    opened={open}
                    onChange={(next) => setExplained(next ? trait.key : '')}
                    width={300}
                    target={
                      <button
                        type="button"
                        className={css.trait}
                        aria-expanded={open}
                        aria-haspopup="dialog"
                        onClick={() => setExplained(open ? '' : trait.key)}
                      >
                        <span className={css.traitName}>{name}</span>
                        <span className={css.traitValue}>
                          {traitText(trait.value, context, { type: trait.type, unit: unitOf(trait.key) })}
                        </span>
                        <IconInfoCircle size={14} className={css.traitInfo} aria-hidden />
                      </button>
                    }
                  >
                    <div className={css.explain}>
                      <strong>{name}</strong>
                      <p>{labelText(trait.explanation, context.language)}</p>
                      {trait.computed_at && (
                        <p className="muted">
                          {t('customers:traits.computed', { when: fmt.datetime(trait.computed_at) })}
                        </p>
                      )}
                    </div>
                  </Popover>
                </li>
              );
            })}
          </ul>
        </section>
      ))}
    </div>
  );
}
