import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type Condition, conditionCheckQuery, recordCountQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { cx } from '@/lib/cx';
import { useDebounced, useIsPhone } from '@/lib/hooks';
import { Button, Drawer } from '@/ui';
import { ConditionBuilder } from '../conditions';
import css from './list.module.css';
import type { List } from './use-list';

interface Props {
  list: List;
  onClose: () => void;
}

/** The whole condition builder, with the sentence it makes and how many match. */
export function FilterDrawer({ list, onClose }: Props) {
  const { t } = useTranslation(['records', 'common']);
  const fmt = useFormat();
  const label = useLabel();
  const phone = useIsPhone();
  const customers = list.object.key === 'customer';
  const [draft, setDraft] = useState<Condition | null>(list.state.where);
  const [complete, setComplete] = useState(true);
  const settled = useDebounced(draft, 250);
  const asking = complete && settled === draft;
  const count = useQuery({
    ...recordCountQuery(list.object.key, settled, list.state.q),
    enabled: asking,
    placeholderData: (old) => old,
    retry: false,
  });
  const check = useQuery({
    ...conditionCheckQuery(list.object.key, settled ?? { all: [] }),
    enabled: asking && settled !== null,
    retry: false,
  });
  const apply = (where: Condition | null) => {
    list.set({ where });
    onClose();
  };
  const sentence = settled === null ? '' : label(check.data?.sentence);
  const problem = check.data?.ok === false ? check.data.errors.map((error) => error.message).join(' ') : '';
  return (
    <Drawer
      opened
      onClose={onClose}
      title={t('records:filter.title')}
      size={phone ? '92%' : 640}
      side={phone ? 'bottom' : 'right'}
    >
      <div className={css.filterBody} data-footed>
        <ConditionBuilder
          object={list.object.key}
          where={draft}
          allowTraits={customers}
          allowRecords={customers}
          allowSegments={customers}
          onChange={(where, state) => {
            setDraft(where);
            setComplete(state.complete);
          }}
        />
      </div>
      <div className={css.filterFoot}>
        <div className={css.sentence} aria-live="polite">
          {problem !== '' && <p className={css.problem}>{problem}</p>}
          {problem === '' && sentence !== '' && <p>{sentence}</p>}
          <p className={cx(css.matching, (!asking || count.isFetching) && css.dim)}>
            {!complete && t('records:filter.incomplete')}
            {complete &&
              count.data !== undefined &&
              t('records:filter.matching', {
                count: count.data.count,
                text: `${fmt.number(count.data.count)}${count.data.is_estimate ? '+' : ''}`,
              })}
            {complete && count.isError && t('records:filter.uncounted')}
          </p>
        </div>
        <Button kind="subtle" disabled={draft === null} onClick={() => apply(null)}>
          {t('records:filter.clear')}
        </Button>
        <Button kind="primary" disabled={!complete || problem !== ''} onClick={() => apply(draft)}>
          {t('records:filter.apply')}
        </Button>
      </div>
    </Drawer>
  );
}
