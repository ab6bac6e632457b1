import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import {
  APPROVAL_ACTIONS,
  type ApprovalAction,
  type ApprovalProcess,
  changeProcess,
  createProcess,
  deleteProcess,
  errorText,
  isApiError,
  OWN_KINDS,
  type OwnKind,
  type ProcessSpec,
  type ProcessStep,
  processesQuery,
} from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { findField, findObject, SYSTEM_FIELDS, useObjects } from '@/metadata';
import {
  BackLink,
  Button,
  Checkbox,
  Closed,
  confirm,
  DetailHead,
  ErrorState,
  MultiSelect,
  Panel,
  Select,
  SkeletonRows,
  Switch,
  TextInput,
  toast,
} from '@/ui';
import { Approvers } from './approval-approvers';
import { ConditionField } from './approval-condition';
import { StepEditor } from './approval-step';
import css from './approvals.module.css';

/** Settings: one process. */
export function ApprovalProcessPage() {
  const { t } = useTranslation('approvals');
  const { id } = useParams({ strict: false }) as { id: string };
  const answer = useQuery(processesQuery());
  if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} />;
  if (answer.data === undefined) return <SkeletonRows rows={8} />;
  const saved = answer.data.items.find((one) => one.id === id);
  if (id !== 'new' && saved === undefined) return <Closed cause="not_found" />;
  const step: ProcessStep = { name: t('approvals:step.first'), who: [{ kind: 'manager', level: 1 }], mode: 'any' };
  const fresh: ProcessSpec = {
    name: '',
    object: 'customer',
    enabled: true,
    action: 'update',
    whole: false,
    own: 'leave',
    once: true,
    steps: [step],
  };
  return <Editor key={`${id}/${saved?.version ?? 0}`} saved={saved} start={saved?.spec ?? fresh} />;
}

function Editor({ saved, start }: { saved: ApprovalProcess | undefined; start: ProcessSpec }) {
  const { t } = useTranslation(['approvals', 'common']);
  const label = useLabel();
  const client = useQueryClient();
  const navigate = useNavigate();
  const objects = useObjects().filter((one) => !one.hidden);
  const [spec, setSpec] = useState(start);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const object = findObject(objects, spec.object);
  const problem = isApiError(error) ? error : null;
  const errorAt = (place: string) => problem?.fields.find((one) => one.location === place)?.message;
  const set = (part: Partial<ProcessSpec>) => setSpec((old) => ({ ...old, ...part }));
  const without = (...keys: (keyof ProcessSpec)[]) =>
    setSpec(
      (old) =>
        Object.fromEntries(
          Object.entries(old).filter(([key]) => !keys.includes(key as keyof ProcessSpec)),
        ) as unknown as ProcessSpec,
    );
  const setWhere = (key: 'where' | 'free', where: ProcessSpec['where']) =>
    where === undefined ? without(key) : set({ [key]: where });
  const fields = (object?.fields ?? []).filter(
    (field) =>
      !(SYSTEM_FIELDS as readonly string[]).includes(field.key) && !field.read_only && field.type !== 'relation_many',
  );
  const choices = fields.filter((field) => field.type === 'choice');
  const moved = findField(object, spec.fields?.[0] ?? '');
  const options = (moved?.options ?? []).map((one) => ({ value: one.key, label: label(one.label, one.key) }));
  const recordless = spec.action === 'export';
  const setStep = (at: number, next: ProcessStep) =>
    set({ steps: spec.steps.map((one, index) => (index === at ? next : one)) });
  const moveStep = (at: number, by: number) => {
    const steps = [...spec.steps];
    const [one] = steps.splice(at, 1);
    if (one !== undefined) steps.splice(at + by, 0, one);
    set({ steps });
  };
  const toList = () => navigate({ to: '/settings/approvals' });
  const save = async () => {
    setTried(true);
    setBusy(true);
    setError(null);
    try {
      if (saved === undefined) await createProcess(spec);
      else await changeProcess(saved.id, saved.version, spec);
      await client.invalidateQueries({ queryKey: ['approvals'] });
      toast.ok(t('common:saved'));
      await toList();
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };
  const remove = async () => {
    if (saved === undefined) return;
    const yes = await confirm({
      title: t('approvals:process.removeTitle', { name: saved.spec.name }),
      text: t('approvals:process.removeText'),
      confirm: t('common:delete'),
      danger: true,
    });
    if (!yes) return;
    try {
      await deleteProcess(saved.id);
      await client.invalidateQueries({ queryKey: ['approvals'] });
      await toList();
    } catch (failed) {
      toast.error(t('common:failed.save'), { detail: errorText(failed) });
    }
  };
  return (
    <div className={css.page}>
      <DetailHead
        back={<BackLink to="/settings/approvals" label={t('approvals:process.title')} />}
        title={saved === undefined ? t('approvals:process.add') : saved.spec.name}
      >
        {saved !== undefined && (
          <span className="muted">{t('approvals:process.version', { version: saved.version })}</span>
        )}
      </DetailHead>
      <Panel title={t('approvals:process.guards')}>
        <div className={css.rows}>
          <div className={css.two}>
            <TextInput
              label={t('approvals:process.name')}
              value={spec.name}
              maxLength={100}
              required
              error={errorAt('name')}
              onChange={(name) => set({ name })}
            />
            <Select
              label={t('approvals:process.object')}
              searchable
              disabled={saved !== undefined}
              options={objects.map((one) => ({ value: one.key, label: label(one.label, one.key) }))}
              value={spec.object}
              error={errorAt('object')}
              onChange={(key) => {
                if (key === null) return;
                without('fields', 'from', 'to', 'where', 'free');
                set({ object: key, steps: spec.steps.map(({ where: _, ...step }) => step) });
              }}
            />
            <Select
              label={t('approvals:process.action')}
              options={APPROVAL_ACTIONS.map((value) => ({ value, label: t(`approvals:action.${value}`) }))}
              value={spec.action}
              error={errorAt('action')}
              onChange={(action) => {
                if (action === null) return;
                without('fields', 'from', 'to', ...(action === 'export' ? (['where', 'free'] as const) : []));
                set({ action: action as ApprovalAction });
              }}
            />
          </div>
          {spec.action === 'update' && (
            <MultiSelect
              label={t('approvals:process.fields')}
              description={t('approvals:process.fieldsHelp')}
              searchable
              clearable
              options={fields.map((field) => ({ value: field.key, label: label(field.label, field.key) }))}
              value={spec.fields ?? []}
              error={errorAt('fields') ?? errorAt('fields.0')}
              onChange={(next) => set({ fields: next })}
            />
          )}
          {spec.action === 'move' && (
            <div className={css.two}>
              <Select
                label={t('approvals:process.stageField')}
                searchable
                options={choices.map((field) => ({ value: field.key, label: label(field.label, field.key) }))}
                value={spec.fields?.[0] ?? null}
                error={errorAt('fields') ?? errorAt('fields.0')}
                onChange={(key) => set({ fields: key === null ? [] : [key], from: [], to: [] })}
              />
              <MultiSelect
                label={t('approvals:process.from')}
                placeholder={t('approvals:process.anyStage')}
                options={options}
                value={spec.from ?? []}
                error={errorAt('from.0')}
                onChange={(from) => set({ from })}
              />
              <MultiSelect
                label={t('approvals:process.to')}
                placeholder={t('approvals:process.anyStage')}
                options={options}
                value={spec.to ?? []}
                error={errorAt('to.0')}
                onChange={(to) => set({ to })}
              />
            </div>
          )}
          {!recordless && object !== undefined && (
            <>
              <ConditionField
                key={`${object.key}/where`}
                label={t('approvals:process.where')}
                description={t('approvals:process.whereHelp')}
                object={object.key}
                where={spec.where}
                tried={tried}
                error={errorAt('where')}
                onChange={(where) => setWhere('where', where)}
              />
              <ConditionField
                key={`${object.key}/free`}
                label={t('approvals:process.free')}
                description={t('approvals:process.freeHelp')}
                object={object.key}
                where={spec.free}
                tried={tried}
                error={errorAt('free')}
                onChange={(where) => setWhere('free', where)}
              />
            </>
          )}
          <div className={css.two}>
            <Approvers
              label={t('approvals:process.for')}
              list={spec.for ?? []}
              object={object}
              plain
              errorAt={(place) => (place === '' ? undefined : errorAt(`for.${place}`))}
              onChange={(list) => set({ for: list })}
            />
            <Approvers
              label={t('approvals:process.except')}
              list={spec.except ?? []}
              object={object}
              plain
              errorAt={(place) => (place === '' ? undefined : errorAt(`except.${place}`))}
              onChange={(list) => set({ except: list })}
            />
          </div>
        </div>
      </Panel>
      <h3>{t('approvals:process.steps')}</h3>
      {errorAt('steps') !== undefined && <span role="alert">{errorAt('steps')}</span>}
      {spec.steps.map((step, at) => (
        <StepEditor
          key={at}
          step={step}
          at={at}
          count={spec.steps.length}
          object={object}
          recordless={recordless}
          tried={tried}
          errorAt={(place) => errorAt(`steps.${at}.${place}`)}
          onChange={(next) => setStep(at, next)}
          onMove={(by) => moveStep(at, by)}
          onRemove={() => set({ steps: spec.steps.filter((_, index) => index !== at) })}
        />
      ))}
      <div>
        <Button
          icon={<IconPlus size={15} />}
          onClick={() =>
            set({
              steps: [
                ...spec.steps,
                {
                  name: t('approvals:step.number', { number: spec.steps.length + 1 }),
                  who: [{ kind: 'manager', level: 1 }],
                  mode: 'any',
                },
              ],
            })
          }
        >
          {t('approvals:step.add')}
        </Button>
      </div>
      <Panel title={t('approvals:process.rules')}>
        <div className={css.rows}>
          <Select
            label={t('approvals:process.own')}
            options={OWN_KINDS.map((value) => ({ value, label: t(`approvals:own.${value}`) }))}
            value={spec.own}
            error={errorAt('own')}
            onChange={(own) => own !== null && set({ own: own as OwnKind })}
          />
          <Checkbox label={t('approvals:process.once')} checked={spec.once} onChange={(once) => set({ once })} />
          {(spec.action === 'update' || spec.action === 'move') && (
            <Checkbox
              label={t('approvals:process.whole')}
              description={t('approvals:process.wholeHelp')}
              checked={spec.whole}
              onChange={(whole) => set({ whole })}
            />
          )}
          <Switch
            label={t('approvals:process.enabled')}
            checked={spec.enabled}
            onChange={(enabled) => set({ enabled })}
          />
        </div>
      </Panel>
      {problem !== null && (
        <ul className={css.bad} role="alert">
          {problem.fields.length === 0 && <li>{problem.message}</li>}
          {problem.fields.map((one) => (
            <li key={one.location + one.code}>{one.message}</li>
          ))}
        </ul>
      )}
      {error !== null && problem === null && (
        <p className={css.bad} role="alert">
          {errorText(error)}
        </p>
      )}
      <div className={css.foot}>
        <Button kind="primary" loading={busy} onClick={() => void save()}>
          {t('common:save')}
        </Button>
        <Button onClick={() => void toList()}>{t('common:cancel')}</Button>
        {saved !== undefined && (
          <Button kind="danger" icon={<IconTrash size={15} />} onClick={() => void remove()}>
            {t('common:delete')}
          </Button>
        )}
      </div>
    </div>
  );
}
