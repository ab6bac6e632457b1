import { IconX } from '@tabler/icons-react';
import type { RandomCondition, TopCondition } from '@/api';
import { labelText, useTranslation } from '@/i18n';
import { NumberInput, Select, TextInput } from '@/ui';
import { Sentence } from '../sentence';
import css from './builder.module.css';
import { useScope } from './scope';
import { rankable } from './subjects';

/** "10 %, mark a": the same mark always draws the same people. */
export function RandomLeaf({
  condition,
  onChange,
}: {
  condition: RandomCondition;
  onChange: (condition: RandomCondition) => void;
}) {
  const { t } = useTranslation('conditions');
  const { percent, salt } = condition.random;
  const set = (change: Partial<RandomCondition['random']>) => onChange({ random: { ...condition.random, ...change } });
  return (
    <>
      <div className={css.small}>
        <NumberInput
          aria-label={t('conditions:random.percent')}
          value={percent}
          min={0}
          max={100}
          decimals={4}
          onChange={(next) => next !== Number(percent) && set({ percent: next ?? 0 })}
        />
      </div>
      <span className={css.unit}>{t('conditions:random.unit')}</span>
      <div className={css.salt} title={t('conditions:random.saltHelp')}>
        <TextInput
          aria-label={t('conditions:random.salt')}
          value={salt}
          maxLength={64}
          onChange={(next) => set({ salt: next })}
        />
      </div>
    </>
  );
}

/** "the first 1,000 by spend", perhaps among some only. */
export function TopLeaf({
  condition,
  onChange,
}: {
  condition: TopCondition;
  onChange: (condition: TopCondition) => void;
}) {
  const { t } = useTranslation('conditions');
  const { traits, object, context, readOnly } = useScope();
  const { of, trait, count, percent } = condition.top;
  const inside = of !== undefined && { of };
  const many = percent ?? count ?? 0;
  const set = (next: { trait?: string; many?: number | string; share?: boolean }) => {
    const amount = next.many ?? many;
    const share = next.share ?? percent !== undefined;
    onChange({
      top: { ...inside, trait: next.trait ?? trait, ...(share ? { percent: amount } : { count: Number(amount) }) },
    });
  };
  return (
    <>
      <div className={css.trait}>
        <Select
          aria-label={t('conditions:top.trait')}
          options={rankable(traits).map((one) => ({
            value: one.key,
            label: labelText(one.label, context.language, one.key),
          }))}
          value={trait}
          onChange={(next) => next !== null && set({ trait: next })}
          searchable
        />
      </div>
      <span className={css.unit}>{t('conditions:top.highest')}</span>
      <div className={css.small}>
        <NumberInput
          aria-label={t('conditions:top.count')}
          value={Number(many) > 0 ? Number(many) : null}
          min={percent === undefined ? 1 : 0}
          {...(percent !== undefined && { max: 100 })}
          decimals={percent === undefined ? 0 : 4}
          onChange={(next) => next !== Number(many) && set({ many: next ?? 0 })}
        />
      </div>
      <div className={css.small}>
        <Select
          aria-label={t('conditions:top.measure')}
          options={[
            { value: 'count', label: t('conditions:top.unit') },
            { value: 'percent', label: '%' },
          ]}
          value={percent === undefined ? 'count' : 'percent'}
          onChange={(next) => set({ share: next === 'percent', many: next === 'percent' ? 20 : 100 })}
        />
      </div>
      {of !== undefined && (
        <span className={css.said}>
          <span>
            {t('conditions:top.of')} <Sentence object={object?.key ?? ''} condition={of} />
          </span>
          {!readOnly && (
            <button
              type="button"
              className={css.saidX}
              aria-label={t('conditions:top.ofEveryone')}
              onClick={() => {
                const { of: _, ...everyone } = condition.top;
                onChange({ top: everyone });
              }}
            >
              <IconX size={13} aria-hidden />
            </button>
          )}
        </span>
      )}
    </>
  );
}
