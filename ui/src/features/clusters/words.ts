import type { Cluster, Clusters, ClusterTrait } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';

/** From here on a trait is told to be far from the mean. */
const FAR = 1;

/** What groups are called and how their figures read. */
export function useWords(data: Clusters) {
  const { t } = useTranslation('clusters');
  const fmt = useFormat();
  const label = useLabel();
  const trait = (key: string) => data.traits.find((one) => one.key === key);
  const name = (one: ClusterTrait | undefined) => (one === undefined ? '' : label(one.label, one.key));
  const value = (one: ClusterTrait, amount: number): string => {
    if (one.kind === 'money')
      return fmt.money({
        amount: String(amount < 100 ? Math.round(amount * 100) / 100 : Math.round(amount)),
        currency: data.currency,
      });
    if (one.kind === 'share') return fmt.percent(amount, 0);
    return `${fmt.number(amount, amount < 10 ? 1 : 0)}${one.unit === null ? '' : ` ${label(one.unit, '')}`}`.trim();
  };
  const level = (apart: number): string => {
    const side = apart > 0 ? 'high' : 'low';
    return Math.abs(apart) >= FAR ? `very_${side}` : side;
  };
  /** The two most unlike traits. */
  const title = (group: Cluster): string => {
    const parts = group.features
      .slice(0, 2)
      .map((one) => t(`clusters:short.${one.high ? 'high' : 'low'}`, { trait: name(trait(one.trait)) }));
    return parts.length === 0 ? t('clusters:ordinary') : parts.join(' \u00b7 ');
  };
  const sentences = (group: Cluster): string[] =>
    group.features.flatMap((one) => {
      const about = trait(one.trait);
      return about === undefined
        ? []
        : [
            t(`clusters:level.${level(one.apart)}`, {
              trait: name(about),
              mean: value(about, one.mean),
              all: value(about, about.mean),
            }),
          ];
    });
  return { name, value, title, sentences };
}
