import { IconArrowDown, IconArrowUp, IconChartFunnel, IconPlus, IconX } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import {
  deleteStages,
  errorText,
  isApiError,
  type ObjectType,
  recordKeys,
  STAGE_KINDS,
  type Stage,
  type StageKind,
  type StageProcess,
  saveStages,
  stagesQuery,
} from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { findField, SYSTEM_FIELDS } from '@/metadata';
import {
  Button,
  ButtonLink,
  confirm,
  EmptyState,
  ErrorState,
  IconButton,
  MultiSelect,
  NumberInput,
  Select,
  SkeletonRows,
  toast,
} from '@/ui';
import css from './approvals.module.css';
import { GateDrawer } from './object-stage-gate';

/** The stages of an object: their order, what each asks for, and what happens by itself. */
export function ObjectStages({ object }: { object: ObjectType }) {
  const answer = useQuery({ ...stagesQuery(), staleTime: 0 });
  if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} />;
  if (answer.data === undefined) return <SkeletonRows rows={5} />;
  const saved = answer.data.items.find((one) => one.object === object.key);
  return <Editor key={saved?.version ?? 0} object={object} saved={saved} />;
}

const fresh = (key: string, at: number, count: number): Stage => ({
  key,
  kind: 'open',
  probability: Math.round((100 * (at + 1)) / (count + 1)),
  days: 0,
});

function Editor({ object, saved }: { object: ObjectType; saved: StageProcess | undefined }) {
  const { t } = useTranslation(['stages', 'common']);
  const label = useLabel();
  const client = useQueryClient();
  const choices = object.fields.filter(
    (field) => field.type === 'choice' && !field.read_only && !(SYSTEM_FIELDS as readonly string[]).includes(field.key),
  );
  const [key, setKey] = useState(saved?.spec.field ?? '');
  const [stages, setStages] = useState<Stage[]>(saved?.spec.stages ?? []);
  const [opened, setOpened] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const problem = isApiError(error) ? error : null;
  const field = findField(object, key);
  const options = field?.options ?? [];
  const name = (option: string) => label(options.find((one) => one.key === option)?.label, option);
  const set = (option: string, part: Partial<Stage>) =>
    setStages((old) => old.map((one) => (one.key === option ? { ...one, ...part } : one)));
  const move = (at: number, by: number) => {
    const next = [...stages];
    const [one] = next.splice(at, 1);
    if (one !== undefined) next.splice(at + by, 0, one);
    setStages(next);
  };
  const left = options.filter((one) => !stages.some((stage) => stage.key === one.key));
  const refresh = async () => {
    await client.invalidateQueries({ queryKey: ['stages'] });
    await client.invalidateQueries({ queryKey: recordKeys.object(object.key) });
  };
  const save = async () => {
    setBusy(true);
    setError(null);
    try {
      await saveStages(object.key, saved?.version ?? 0, { field: key, stages });
      toast.ok(t('common:saved'));
      await refresh();
    } catch (failed) {
      setError(failed);
    } finally {
      setBusy(false);
    }
  };
  const remove = async () => {
    const yes = await confirm({
      title: t('stages:settings.removeTitle'),
      text: t('stages:settings.removeText'),
      confirm: t('common:delete'),
      danger: true,
    });
    if (!yes || saved === undefined) return;
    try {
      await deleteStages(object.key, saved.version);
      await refresh();
    } catch (failed) {
      toast.error(t('common:failed.save'), { detail: errorText(failed) });
    }
  };
  if (choices.length === 0) return <EmptyState cause="none" title={t('stages:settings.noChoice')} text="" compact />;
  const editing = stages.find((one) => one.key === opened);
  return (
    <div className={css.page}>
      <p className="muted">{t('stages:settings.text')}</p>
      <div className={css.two}>
        <Select
          label={t('stages:settings.field')}
          options={choices.map((one) => ({ value: one.key, label: label(one.label, one.key) }))}
          value={key === '' ? null : key}
          error={problem?.at('field')}
          onChange={(next) => {
            if (next === null || next === key) return;
            const all = findField(object, next)?.options ?? [];
            setKey(next);
            setStages(all.map((one, at) => fresh(one.key, at, all.length)));
          }}
        />
      </div>
      {stages.map((stage, at) => (
        <section key={stage.key} className={css.step} aria-label={name(stage.key)}>
          <div className={css.stepHead}>
            <strong>{name(stage.key)}</strong>
            {at > 0 && (
              <IconButton
                label={t('stages:settings.up')}
                icon={<IconArrowUp size={15} />}
                onClick={() => move(at, -1)}
              />
            )}
            {at < stages.length - 1 && (
              <IconButton
                label={t('stages:settings.down')}
                icon={<IconArrowDown size={15} />}
                onClick={() => move(at, 1)}
              />
            )}
            <Button onClick={() => setOpened(stage.key)}>{t('stages:settings.gate')}</Button>
            <IconButton
              label={t('stages:settings.leave', { name: name(stage.key) })}
              icon={<IconX size={15} />}
              onClick={() => setStages(stages.filter((one) => one.key !== stage.key))}
            />
          </div>
          <div className={css.two}>
            <Select
              label={t('stages:settings.kind')}
              options={STAGE_KINDS.map((kind) => ({ value: kind, label: t(`stages:kind.${kind}`) }))}
              value={stage.kind}
              onChange={(kind) => kind !== null && set(stage.key, { kind: kind as StageKind })}
            />
            <NumberInput
              label={t('stages:settings.probability')}
              suffix="%"
              min={0}
              max={100}
              value={stage.probability}
              onChange={(probability) => set(stage.key, { probability: probability ?? 0 })}
            />
            <NumberInput
              label={t('stages:settings.days')}
              min={0}
              max={3650}
              value={stage.days}
              onChange={(days) => set(stage.key, { days: days ?? 0 })}
            />
            <MultiSelect
              label={t('stages:settings.to')}
              placeholder={t('stages:settings.anywhere')}
              options={stages
                .filter((one) => one.key !== stage.key)
                .map((one) => ({ value: one.key, label: name(one.key) }))}
              value={stage.to ?? []}
              onChange={(to) => set(stage.key, { to })}
            />
          </div>
        </section>
      ))}
      {left.length > 0 && key !== '' && (
        <div className={css.foot}>
          {left.map((one) => (
            <Button
              key={one.key}
              kind="subtle"
              icon={<IconPlus size={15} />}
              onClick={() => setStages([...stages, fresh(one.key, stages.length, stages.length + 1)])}
            >
              {label(one.label, one.key)}
            </Button>
          ))}
        </div>
      )}
      {problem !== null && (
        <ul className={css.bad} role="alert">
          {problem.fields.length === 0 && <li>{problem.message}</li>}
          {problem.fields.map((one) => (
            <li key={one.location + one.code}>
              {name(stages[Number(one.location.split('.')[1])]?.key ?? '')} {one.message}
            </li>
          ))}
        </ul>
      )}
      <div className={css.foot}>
        <Button kind="primary" loading={busy} disabled={key === ''} onClick={() => void save()}>
          {t('common:save')}
        </Button>
        {saved !== undefined && (
          <>
            <ButtonLink to="/stages/$object" params={{ object: object.key }} icon={<IconChartFunnel size={15} />}>
              {t('stages:report.title')}
            </ButtonLink>
            <Button kind="danger" onClick={() => void remove()}>
              {t('stages:settings.remove')}
            </Button>
          </>
        )}
      </div>
      {editing !== undefined && (
        <GateDrawer
          object={object}
          stage={editing}
          stages={stages}
          field={key}
          name={name}
          onChange={(next) => setStages(stages.map((one) => (one.key === next.key ? next : one)))}
          onClose={() => setOpened(null)}
        />
      )}
    </div>
  );
}
