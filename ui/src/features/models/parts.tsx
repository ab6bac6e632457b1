import type { CardMeasure, Model } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Pill, Tooltip } from '@/ui';
import css from './models.module.css';

/** Numbers of models lie anywhere between a thousandth and millions. */
export function useNumber() {
  const fmt = useFormat();
  return (value: number, share = false): string => {
    if (share) return fmt.percent(value, 1);
    const size = Math.abs(value);
    if (size >= 100 || Number.isInteger(value)) return fmt.number(Math.round(value));
    if (size >= 10) return fmt.number(value, 1);
    return fmt.number(value, size >= 1 ? 2 : 4);
  };
}

/** How a model stands, in a pill. */
export function ModelState({ model }: { model: Model }) {
  const { t } = useTranslation('models');
  if (model.off) return <Pill color="gray">{t('models:state.off')}</Pill>;
  if (model.running) return <Pill color="blue">{t('models:state.running')}</Pill>;
  if (model.failure !== null)
    return (
      <Tooltip label={model.failure}>
        <span>
          <Pill color="red">{t('models:state.failed')}</Pill>
        </span>
      </Tooltip>
    );
  if (model.version === 0) return <Pill color="amber">{t('models:state.waiting')}</Pill>;
  return <Pill color="green">{t('models:state.used', { version: model.version })}</Pill>;
}

/** A measure with what the simple rule reaches beside. */
export function Figure({ measure, named }: { measure: CardMeasure; named?: boolean }) {
  const { t } = useTranslation('models');
  const number = useNumber();
  return (
    <span className={css.figure}>
      <strong>{number(measure.value, measure.share)}</strong>
      {named && <span className="muted">{measure.label}</span>}
      {measure.peer !== undefined && (
        <span className="muted">
          {t('models:peer', { name: measure.peer_is ?? '', value: number(measure.peer, measure.share) })}
        </span>
      )}
    </span>
  );
}
