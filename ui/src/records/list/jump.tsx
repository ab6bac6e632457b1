import { IconArrowBarToDown } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import type { Field } from '@/api';
import { useTranslation } from '@/i18n';
import { findField, traitAsField } from '@/metadata';
import { jumpOperator } from '../list-state';
import css from './list.module.css';
import type { List } from './use-list';

const JumpDialog = lazy(() => import('./jump-dialog').then((module) => ({ default: module.JumpDialog })));

/** The field that a list is sorted by first. */
export function sortField(list: List): Field | null {
  const first = list.state.sort[0];
  const trait = list.traits.find((candidate) => candidate.key === first?.trait);
  if (trait !== undefined) return traitAsField(trait);
  return findField(list.object, first?.field ?? '') ?? null;
}

/** Begins the list at a value of its sort: the way to the middle of a very long list. */
export function Jump({ list }: { list: List }) {
  const { t } = useTranslation('records');
  const [opened, setOpened] = useState(false);
  const field = sortField(list);
  const op = field === null ? null : jumpOperator(field, list.state.sort[0]?.desc === true);
  if (field === null || op === null) return null;
  return (
    <>
      <button type="button" className={css.footButton} onClick={() => setOpened(true)}>
        <IconArrowBarToDown size={14} />
        {t('records:jump.title')}
      </button>
      {opened && (
        <Suspense>
          <JumpDialog list={list} field={field} op={op} onClose={() => setOpened(false)} />
        </Suspense>
      )}
    </>
  );
}
