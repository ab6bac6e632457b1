import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { type ClassRule, type Condition, segmentCountQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useDebounced } from '@/lib/hooks';
import { ConditionBuilder } from '@/records/conditions';
import { Button, Drawer } from '@/ui';
import css from './classifications.module.css';

interface Props {
  rule: ClassRule | undefined;
  onClose: () => void;
  onApply: (where: Condition | null) => void;
}

function Editor({ rule, onClose, onApply }: Props & { rule: ClassRule }) {
  const { t } = useTranslation(['classifications', 'common']);
  const fmt = useFormat();
  const [where, setWhere] = useState(rule.where);
  const [complete, setComplete] = useState(true);
  const [tried, setTried] = useState(false);
  const settled = useDebounced(useMemo(() => ({ where, complete }), [where, complete]));
  const { data, error, isPlaceholderData } = useQuery(segmentCountQuery(settled.complete ? settled.where : null));
  const apply = () => {
    setTried(true);
    if (complete && where !== null) onApply(where);
  };
  return (
    <div className="stack">
      <p className="muted">{t('classifications:drawerHelp')}</p>
      <ConditionBuilder
        object="customer"
        allowTraits
        allowRecords
        allowSegments
        where={where}
        showProblems={tried}
        onChange={(next, state) => {
          setWhere(next);
          setComplete(state.complete);
        }}
      />
      <div className={css.drawerFoot}>
        <span className={css.alone} aria-live="polite" data-dim={isPlaceholderData || undefined}>
          {error !== null && <span className={css.fault}>{error.message}</span>}
          {error === null &&
            data !== undefined &&
            where !== null &&
            t('classifications:alone', { count: data.count, shown: fmt.number(data.count) })}
        </span>
        <Button onClick={onClose}>{t('common:cancel')}</Button>
        <Button kind="primary" onClick={apply}>
          {t('classifications:apply')}
        </Button>
      </div>
    </div>
  );
}

/** The condition of one class. How many fulfil it alone is shown; those of earlier classes are taken before it. */
export function ClassDrawer({ rule, onClose, onApply }: Props) {
  const { t } = useTranslation('classifications');
  const label = useLabel();
  return (
    <Drawer
      opened={rule !== undefined}
      onClose={onClose}
      size={760}
      title={t('classifications:conditionOf', { name: label(rule?.label, rule?.key) })}
    >
      {rule !== undefined && <Editor key={rule.key} rule={rule} onClose={onClose} onApply={onApply} />}
    </Drawer>
  );
}
