import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import {
  type ComputedTrait,
  computedTraitQuery,
  isApiError,
  type TraitFigure,
  traitUsesQuery,
  useDeleteComputed,
  useSaveComputed,
} from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { findObject, useCan, useObjectsIfLoaded, useTraits } from '@/metadata';
import { RowsEditor, TypedSelect, useProperties } from '@/records/conditions/rows';
import {
  BackLink,
  Button,
  ButtonLink,
  Checkbox,
  confirm,
  DetailHead,
  EmptyState,
  Loaded,
  Panel,
  Select,
  TextInput,
  toast,
} from '@/ui';
import css from './traits.module.css';
import {
  complete,
  type Draft,
  draftOf,
  emptyDraft,
  inputOf,
  KINDS,
  keyOf,
  needsField,
  ofNumbers,
  takesBoth,
  withKind,
} from './traits-draft';
import { PreviewPanel } from './traits-preview';

const TEXTS = new Set(['text', 'url', 'choice', 'auto_number', 'long_text']);
const TIMES = new Set(['date', 'datetime']);
const NUMBERS = new Set(['number', 'money', 'percent', 'rating', 'duration']);

/** Which field or property the figure is of. */
function FieldSelect({ figure, onChange }: { figure: TraitFigure; onChange: (figure: TraitFigure) => void }) {
  const { t } = useTranslation('traits');
  const label = useLabel();
  const objects = useObjectsIfLoaded();
  const { of, kind, field = '' } = figure;
  const event = 'event' in of ? of.event : '';
  const { known, options } = useProperties(event);
  const fits = (type: string) => {
    if (NUMBERS.has(type)) return kind !== 'unique_list';
    if (TIMES.has(type)) return !['sum', 'average', 'unique_list'].includes(kind);
    return TEXTS.has(type) && !ofNumbers(kind);
  };
  if (!('event' in of)) {
    const fields = (findObject(objects, of.record)?.fields ?? []).filter(
      (each) => fits(each.type) && !each.personal && each.access !== 'hidden',
    );
    return (
      <Select
        label={t('traits:field')}
        options={fields.map((each) => ({ value: each.key, label: label(each.label, each.key) }))}
        value={field === '' ? null : field}
        onChange={(next) => next !== null && onChange({ ...figure, field: next })}
        searchable
      />
    );
  }
  const offered = options.filter(({ value }) => {
    const type =
      value === '$amount' || value === '$dwell_ms'
        ? 'number'
        : (known.find(({ key }) => key === value)?.type ?? 'text');
    return ofNumbers(kind) ? type === 'number' : type !== 'bool';
  });
  return (
    <>
      <div>
        <span className={css.fieldLabel}>{t('traits:property')}</span>
        <TypedSelect
          label={t('traits:property')}
          value={field}
          options={offered}
          onChange={(next) => {
            const { number: _, ...rest } = figure;
            const numeric = takesBoth(kind) && known.find(({ key }) => key === next)?.type === 'number';
            onChange({ ...rest, field: next, ...(numeric && { number: true }) });
          }}
        />
      </div>
      {takesBoth(kind) && field !== '' && !field.startsWith('$') && (
        <Checkbox
          label={t('traits:asNumber')}
          checked={figure.number === true}
          onChange={(number) => {
            const { number: _, ...rest } = figure;
            onChange(number ? { ...rest, number } : rest);
          }}
        />
      )}
    </>
  );
}

function Uses({ trait }: { trait: ComputedTrait }) {
  const { t } = useTranslation('traits');
  const uses = useQuery(traitUsesQuery(trait.key)).data?.items ?? [];
  if (uses.length === 0) return null;
  return (
    <Panel title={t('traits:uses.title')}>
      <ul className={css.common}>
        {uses.map((use, at) => (
          <li key={at}>
            <span className="truncate">{use.name}</span>
            <span className="muted">{t(`traits:uses.${use.kind}`)}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Form({ trait }: { trait?: ComputedTrait }) {
  const { t } = useTranslation(['traits', 'common']);
  const label = useLabel();
  const navigate = useNavigate();
  const can = useCan();
  const save = useSaveComputed();
  const remove = useDeleteComputed();
  const [draft, setDraft] = useState<Draft>(trait === undefined ? emptyDraft : draftOf(trait));
  const [tried, setTried] = useState(false);
  const objects = useObjectsIfLoaded();
  const traits = useTraits();
  const ready = complete(draft.figure, { objects, traits });
  const set = (part: Partial<Draft>) => setDraft((old) => ({ ...old, ...part }));
  const named = draft.zh.trim() !== '' || draft.en.trim() !== '';
  const key = trait?.key ?? (draft.key === '' ? keyOf(draft.en) : draft.key);
  const fault = (name: string) => (isApiError(save.error) ? save.error.at(name) : undefined);
  const allowed = can('classification.write');
  const back = () => navigate({ to: '/settings/traits' });
  const submit = async () => {
    setTried(true);
    if (!ready || !named || key === '') return;
    try {
      await save.mutateAsync({
        ...(trait && { key: trait.key, version: trait.version }),
        input: inputOf({ ...draft, key }),
      });
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: (error as Error).message });
      return;
    }
    toast.ok(t('traits:saved'));
    await back();
  };
  const drop = async () => {
    if (trait === undefined) return;
    const sure = await confirm({
      title: t('traits:delete.title', { name: label(trait.label, trait.key) }),
      text: t('traits:delete.text'),
      confirm: t('traits:delete.confirm'),
      danger: true,
    });
    if (!sure) return;
    try {
      await remove.mutateAsync(trait.key);
    } catch (error) {
      toast.error(t('traits:delete.failed'), { detail: (error as Error).message });
      return;
    }
    toast.ok(t('traits:deleted'));
    await back();
  };
  const missing = tried ? t('traits:needed') : undefined;
  return (
    <div className="stack">
      <DetailHead
        back={<BackLink to="/settings/traits" label={t('traits:back')} />}
        title={trait === undefined ? t('traits:add') : label(trait.label, trait.key)}
      >
        {allowed && trait !== undefined && (
          <Button kind="danger" loading={remove.isPending} onClick={drop}>
            {t('traits:delete.confirm')}
          </Button>
        )}
        <ButtonLink to="/settings/traits">{t('common:cancel')}</ButtonLink>
        {allowed && (
          <Button kind="primary" loading={save.isPending} onClick={submit}>
            {t('common:save')}
          </Button>
        )}
      </DetailHead>
      {trait !== undefined && trait.broken !== null && (
        <p className={css.fault} role="alert">
          {t('traits:brokenText', { reason: trait.broken })}
        </p>
      )}
      <div className={css.columns}>
        <div className="stack">
          <Panel title={t('traits:names')}>
            <div className={css.form}>
              <TextInput
                label={t('traits:zh')}
                value={draft.zh}
                maxLength={60}
                error={fault('label') ?? (named ? undefined : missing)}
                onChange={(zh) => set({ zh })}
              />
              <TextInput label={t('traits:en')} value={draft.en} maxLength={60} onChange={(en) => set({ en })} />
              <TextInput
                label={t('traits:key')}
                description={trait === undefined ? t('traits:keyHelp') : t('traits:keyFixed')}
                value={key}
                maxLength={48}
                disabled={trait !== undefined}
                error={fault('key') ?? (key === '' ? missing : undefined)}
                onChange={(next) => set({ key: next })}
              />
              <TextInput
                label={t('traits:description')}
                value={draft.about}
                maxLength={500}
                onChange={(about) => set({ about })}
              />
            </div>
          </Panel>
          <Panel title={t('traits:definition')}>
            <div className="stack">
              <div className={css.form}>
                <Select
                  label={t('traits:kindLabel')}
                  description={t(`traits:kindHelp.${draft.figure.kind}`)}
                  options={KINDS.map((kind) => ({ value: kind, label: t(`traits:kind.${kind}`) }))}
                  value={draft.figure.kind}
                  onChange={(kind) =>
                    kind !== null && set({ figure: withKind(draft.figure, kind as TraitFigure['kind']) })
                  }
                />
              </div>
              <div>
                <span className={css.fieldLabel}>{t('traits:of')}</span>
                <RowsEditor
                  rows={draft.figure.of}
                  onChange={(of) => {
                    const same =
                      ('event' in of ? of.event : of.record) ===
                      ('event' in draft.figure.of ? draft.figure.of.event : draft.figure.of.record);
                    const { field: _, number: __, ...bare } = draft.figure;
                    set({ figure: same ? { ...draft.figure, of } : { ...bare, of } });
                  }}
                />
              </div>
              {needsField(draft.figure.kind) && (
                <div className={css.form}>
                  <FieldSelect figure={draft.figure} onChange={(figure) => set({ figure })} />
                </div>
              )}
              {tried && !ready && (
                <p className={css.fault} role="alert">
                  {t('traits:incomplete')}
                </p>
              )}
              {isApiError(save.error) && <p className={css.fault}>{save.error.message}</p>}
            </div>
          </Panel>
          {trait !== undefined && <Uses trait={trait} />}
        </div>
        <PreviewPanel figure={draft.figure} complete={ready} />
      </div>
    </div>
  );
}

export function TraitNewPage() {
  const can = useCan();
  if (!can('classification.write')) return <EmptyState cause="no_permission" />;
  return <Form />;
}

export function TraitEditPage() {
  const { key = '' } = useParams({ strict: false });
  const can = useCan();
  const allowed = can('segment.read');
  // What is being edited does not change under the hands.
  const { data, error, refetch } = useQuery({ ...computedTraitQuery(key), enabled: allowed, refetchInterval: false });
  return (
    <Loaded allowed={allowed} data={data} error={error} onRetry={refetch}>
      {(trait) => <Form key={`${trait.key}:${trait.version}`} trait={trait} />}
    </Loaded>
  );
}
