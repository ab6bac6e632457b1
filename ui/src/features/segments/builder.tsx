import { IconArrowBackUp, IconArrowForwardUp, IconInfoCircle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useMemo, useState } from 'react';
import type { Condition, Segment } from '@/api';
import { isApiError, segmentPartsQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useDebounced, useEvent } from '@/lib/hooks';
import type { Undo } from '@/lib/undo';
import { useObjectsIfLoaded, useTraits } from '@/metadata';
import { ConditionBuilder, validateCondition } from '@/records/conditions';
import { useShortcuts } from '@/shell';
import { IconButton, RadioGroup, Textarea, TextInput } from '@/ui';
import { CountCard } from './count-card';
import type { Draft, DraftAction } from './draft';
import { saysIsNot } from './notes';
import css from './segments.module.css';

interface Props {
  undo: Undo<Draft>;
  dispatch: (action: DraftAction) => void;
  /** Set after an attempt to save: shows what is missing. */
  tried: boolean;
  onComplete: (complete: boolean) => void;
  /** What the server refused on saving. */
  error: unknown;
  /** An existing segment keeps its kind. */
  existing?: Segment;
  footer?: ReactNode;
}

const faultsOf = (error: unknown) =>
  isApiError(error)
    ? error.fields.map(({ location, message }) => ({ location: location.replace(/^(body\.)?where/, ''), message }))
    : [];

/**
 * Whether a condition can be asked. The editor tells of its rows, empty ones too; a condition that came back by undo
 * was not edited there, and is judged by itself.
 */
function useComplete(where: Condition | null) {
  const objects = useObjectsIfLoaded();
  const traits = useTraits();
  const [said, say] = useState({ text: '', complete: true });
  const known = JSON.stringify(where) === said.text;
  const sound = where === null || validateCondition(where, 'customer', { objects, traits }).length === 0;
  return {
    value: known ? said.complete : sound,
    say: (edited: Condition | null, complete: boolean) => say({ text: JSON.stringify(edited), complete }),
  };
}

/** Undo and redo by button and keys. */
function UndoButtons({ undo, dispatch }: Pick<Props, 'undo' | 'dispatch'>) {
  const { t } = useTranslation('segments');
  useShortcuts([
    {
      keys: 'mod+z',
      label: t('segments:undo'),
      group: t('segments:title'),
      whileTyping: true,
      run: (event) => dispatch({ type: event.shiftKey ? 'redo' : 'undo' }),
    },
    {
      keys: 'mod+y',
      label: t('segments:redo'),
      group: t('segments:title'),
      whileTyping: true,
      run: () => dispatch({ type: 'redo' }),
    },
  ]);
  return (
    <>
      <IconButton
        label={t('segments:undo')}
        icon={<IconArrowBackUp size={17} stroke={1.6} />}
        disabled={undo.past.length === 0}
        onClick={() => dispatch({ type: 'undo' })}
      />
      <IconButton
        label={t('segments:redo')}
        icon={<IconArrowForwardUp size={17} stroke={1.6} />}
        disabled={undo.future.length === 0}
        onClick={() => dispatch({ type: 'redo' })}
      />
    </>
  );
}

/** How many fulfil each row and group by itself; none while a condition has but one. */
function usePartCounts(where: Condition | null, complete: boolean): ReadonlyMap<string, string> | undefined {
  const { t } = useTranslation('segments');
  const fmt = useFormat();
  const settled = useDebounced(useMemo(() => (complete ? where : null), [where, complete]));
  const { data } = useQuery(segmentPartsQuery(settled));
  return useMemo(() => {
    if (data === undefined || data.parts.length < 2) return undefined;
    return new Map(data.parts.map(({ at, count }) => [at, t('segments:people', { count, shown: fmt.number(count) })]));
  }, [data, t, fmt]);
}

export function SegmentBuilder({ undo, dispatch, tried, onComplete, error, existing }: Props) {
  const { t } = useTranslation('segments');
  const { now: draft } = undo;
  const complete = useComplete(draft.where);
  useEffect(() => onComplete(complete.value), [complete.value, onComplete]);
  const [counted, setCounted] = useState<unknown>(null);
  const counts = usePartCounts(draft.where, complete.value);
  const edit = useEvent((part: Partial<Draft>, tag?: string) =>
    dispatch({ type: 'edit', part, at: Date.now(), ...(tag !== undefined && { tag }) }),
  );
  const labelFault = tried && draft.label.trim() === '' ? t('segments:nameNeeded') : serverFault(error, 'label');
  return (
    <div className={css.builder}>
      <div className={css.main}>
        <div className={css.titleRow}>
          <input
            className={css.titleInput}
            value={draft.label}
            maxLength={80}
            aria-label={t('segments:name')}
            placeholder={t('segments:namePlaceholder')}
            aria-invalid={labelFault !== undefined}
            // biome-ignore lint/a11y/noAutofocus: a new segment begins with its name
            autoFocus={existing === undefined && draft.label === ''}
            onChange={(event) => edit({ label: event.currentTarget.value }, 'label')}
          />
          <UndoButtons undo={undo} dispatch={dispatch} />
        </div>
        {labelFault !== undefined && (
          <p className={css.fault} role="alert">
            {labelFault}
          </p>
        )}
        <ConditionBuilder
          object="customer"
          allowTraits
          allowRecords
          allowSegments
          where={draft.where}
          faults={faultsOf(error ?? counted)}
          counts={counts}
          showProblems={tried}
          onChange={(where, state) => {
            complete.say(where, state.complete);
            edit({ where });
          }}
        />
        {tried && draft.where === null && (
          <p className={css.fault} role="alert">
            {t('segments:whereNeeded')}
          </p>
        )}
        {saysIsNot(draft.where) && (
          <p className={css.note}>
            <IconInfoCircle size={16} stroke={1.6} aria-hidden />
            {t('segments:nullNote')}
          </p>
        )}
        <div className={css.extra}>
          <div className="stack">
            <Textarea
              label={t('segments:description')}
              placeholder={t('segments:descriptionPlaceholder')}
              value={draft.description}
              minRows={2}
              onChange={(description) => edit({ description }, 'description')}
            />
            <TextInput
              label={t('segments:folder')}
              placeholder={t('segments:folderPlaceholder')}
              value={draft.folder}
              maxLength={200}
              onChange={(folder) => edit({ folder }, 'folder')}
            />
          </div>
          <RadioGroup
            label={t('segments:kindLabel')}
            value={draft.kind}
            onChange={(kind) => edit({ kind })}
            options={(['dynamic', 'static'] as const).map((kind) => ({
              value: kind,
              label: t(`segments:kind.${kind}`),
              description: t(`segments:kindHelp.${kind}`),
              disabled: existing !== undefined && existing.kind !== kind,
            }))}
          />
        </div>
      </div>
      <CountCard where={draft.where} complete={complete.value} onError={setCounted} />
    </div>
  );
}

const serverFault = (error: unknown, name: string): string | undefined =>
  isApiError(error) ? error.at(name) : undefined;
