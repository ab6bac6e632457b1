import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import {
  type Automation,
  type AutomationInput,
  automationCheckQuery,
  automationQuery,
  type Definition,
  isApiError,
  sessionQuery,
  useCreateAutomation,
  usersQuery,
  useSaveAutomation,
} from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useDebounced } from '@/lib/hooks';
import { findObject, useCan, useObjects } from '@/metadata';
import { ConditionBuilder } from '@/records/conditions';
import {
  BackLink,
  Button,
  ButtonLink,
  Checkbox,
  DetailHead,
  EmptyState,
  ErrorState,
  NumberInput,
  Panel,
  Select,
  SkeletonRows,
  TextInput,
  toast,
} from '@/ui';
import css from './automations.module.css';
import { emptyDefinition, type Fault, faultAt, faultsAt, newTrigger } from './draft';
import { Flow } from './flow';
import { templatesOf } from './templates';
import { TriggerEditor } from './trigger-editor';
import { TryPanel } from './try-panel';

export function AutomationNewPage() {
  const { t } = useTranslation('automations');
  const can = useCan();
  const { template } = useSearch({ strict: false }) as { template?: string };
  const start = useMemo(() => templatesOf(t).find(({ key }) => key === template), [t, template]);
  if (!can('automation.manage')) return <EmptyState cause="no_permission" />;
  return (
    <Editor
      key={template}
      definition={start?.definition ?? emptyDefinition()}
      name={start === undefined ? '' : t(`automations:template.${start.key}.name`)}
    />
  );
}

export function AutomationEditPage() {
  const { id = '' } = useParams({ strict: false });
  const can = useCan();
  const allowed = can('automation.manage');
  // What is being edited does not change under the hands.
  const { data, error, refetch } = useQuery({
    ...automationQuery(id),
    enabled: allowed,
    refetchInterval: false,
    staleTime: 0,
  });
  if (!allowed) return <EmptyState cause="no_permission" />;
  if (data !== undefined) return <Editor key={data.id} rule={data} definition={data.definition} name={data.name} />;
  return error === null ? <SkeletonRows rows={6} /> : <ErrorState error={error} onRetry={() => refetch()} />;
}

interface EditorProps {
  rule?: Automation;
  definition: Definition;
  name: string;
}

const whole = (faults: readonly Fault[]) =>
  faults.filter(({ location }) => !/^definition\.(trigger|where|steps\.|object)/.test(location));

function Editor({ rule: opened, definition: first, name: firstName }: EditorProps) {
  const { t } = useTranslation(['automations', 'common']);
  const navigate = useNavigate();
  const can = useCan();
  const [rule] = useState(opened);
  const me = useQuery(sessionQuery()).data?.user.id ?? '';
  const [name, setName] = useState(firstName);
  const [definition, setDefinition] = useState(first);
  const [runAs, setRunAs] = useState<string | null>(() => {
    if (rule === undefined) return null;
    return rule.run_as === null ? 'system' : rule.run_as.id;
  });
  const [tried, setTried] = useState(false);
  const create = useCreateAutomation();
  const save = useSaveAutomation();
  const as = runAs ?? me;
  const settled = useDebounced(definition, 600);
  const check = useQuery({ ...automationCheckQuery(settled, as), enabled: as !== '' });
  const failed = create.error ?? save.error;
  const refused = isApiError(failed) ? failed : null;
  const faults: Fault[] = [...(check.data?.problems ?? [])];
  const others = refused?.fields.filter(({ location }) => !location.startsWith('definition')) ?? [];
  const change = (next: Partial<Definition>) => setDefinition((old) => ({ ...old, ...next }));
  const submit = async (on: boolean) => {
    setTried(true);
    if (name.trim() === '') return;
    const input: AutomationInput = {
      name: name.trim(),
      definition,
      ...(runAs !== null && { run_as: runAs }),
      ...(on && { state: 'on' }),
    };
    try {
      const saved =
        rule === undefined
          ? await create.mutateAsync(input)
          : await save.mutateAsync({ id: rule.id, version: rule.version, change: input });
      toast.ok(t('common:saved'));
      await navigate({ to: '/settings/automations/$id', params: { id: saved.id }, search: {} });
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: error instanceof Error ? error.message : '' });
    }
  };
  const saving = create.isPending || save.isPending;
  return (
    <div className="stack">
      <DetailHead
        back={<BackLink to="/settings/automations" label={t('automations:back')} />}
        title={rule === undefined ? t('automations:add') : t('automations:editOf', { name: rule.name })}
      />
      <Basics
        name={name}
        onName={setName}
        runAs={as}
        onRunAs={setRunAs}
        definition={definition}
        onChange={setDefinition}
        nameFault={tried && name.trim() === '' ? t('automations:nameNeeded') : undefined}
        runFault={others.find(({ location }) => location === 'run_as')?.message}
      />
      <Panel title={t('automations:when')}>
        <TriggerPart definition={definition} faults={faults} onChange={change} />
      </Panel>
      <Panel title={t('automations:if')}>
        <WherePart definition={definition} faults={faults} tried={tried} onChange={setDefinition} />
      </Panel>
      <Panel title={t('automations:do')}>
        {faultAt(faults, 'definition.steps') !== undefined && tried && (
          <p className={css.fault} role="alert">
            {faultAt(faults, 'definition.steps')}
          </p>
        )}
        <Flow
          definition={definition}
          steps={definition.steps}
          at="definition.steps"
          prefix=""
          faults={faults}
          tried={tried}
          mayCall={can('webhook.manage')}
          mayMail={can('mail.send')}
          runAs={as}
          onChange={(steps) => change({ steps })}
        />
      </Panel>
      <TryPanel definition={definition} runAs={as} sound={check.data?.ok === true} />
      {tried && whole(faults).length > 0 && (
        <ul className={css.faults} role="alert">
          {whole(faults).map(({ location, message }) => (
            <li key={location + message}>{message}</li>
          ))}
        </ul>
      )}
      {check.data?.ok === false && tried && <p className={css.problem}>{t('automations:notSound')}</p>}
      <div className="row">
        <Button kind="primary" loading={saving} onClick={() => void submit(rule === undefined || rule.state === 'on')}>
          {rule === undefined || rule.state === 'on' ? t('automations:saveOn') : t('common:save')}
        </Button>
        {rule === undefined && (
          <Button loading={saving} onClick={() => void submit(false)}>
            {t('automations:saveOff')}
          </Button>
        )}
        <ButtonLink to="/settings/automations">{t('common:cancel')}</ButtonLink>
      </div>
    </div>
  );
}

interface BasicsProps {
  name: string;
  onName: (name: string) => void;
  runAs: string;
  onRunAs: (id: string | null) => void;
  definition: Definition;
  onChange: (definition: Definition) => void;
  nameFault: string | undefined;
  runFault: string | undefined;
}

function Basics({ name, onName, runAs, onRunAs, definition, onChange, nameFault, runFault }: BasicsProps) {
  const { t } = useTranslation('automations');
  const label = useLabel();
  const can = useCan();
  const objects = useObjects();
  const me = useQuery(sessionQuery()).data?.user.id ?? '';
  const users = useQuery(usersQuery()).data?.items ?? [];
  const people = users.filter((user) => can('system.manage') || user.id === me);
  return (
    <Panel>
      <div className={css.inlineForm}>
        <TextInput
          label={t('automations:name')}
          required
          maxLength={100}
          value={name}
          onChange={onName}
          error={nameFault}
        />
        <Select
          label={t('automations:object')}
          searchable
          options={objects.map((each) => ({ value: each.key, label: label(each.label, each.key) }))}
          value={definition.object}
          onChange={(object) =>
            object !== null &&
            object !== definition.object &&
            onChange({
              object,
              trigger: newTrigger(definition.trigger.segment === undefined ? definition.trigger.kind : 'created'),
              steps: [],
            })
          }
        />
        <Select
          label={t('automations:runAs')}
          searchable
          options={[
            ...people.map((user) => ({ value: user.id, label: user.name || user.email })),
            ...(can('system.manage') ? [{ value: 'system', label: t('automations:system') }] : []),
          ]}
          value={runAs}
          onChange={onRunAs}
          error={runFault}
        />
        <div className={css.small}>
          <NumberInput
            label={t('automations:perHour')}
            placeholder="200000"
            min={1}
            max={1000000}
            decimals={0}
            value={definition.per_hour ?? null}
            onChange={(most) => {
              const { per_hour: _, ...rest } = definition;
              onChange(most === null ? rest : { ...rest, per_hour: most });
            }}
          />
        </div>
      </div>
      <p className={css.help}>{t(runAs === 'system' ? 'automations:runAsSystemHelp' : 'automations:runAsHelp')}</p>
    </Panel>
  );
}

interface PartProps {
  definition: Definition;
  faults: readonly Fault[];
}

function TriggerPart({ definition, faults, onChange }: PartProps & { onChange: (next: Partial<Definition>) => void }) {
  const objects = useObjects();
  return (
    <TriggerEditor
      object={findObject(objects, definition.object)}
      trigger={definition.trigger}
      faults={faultsAt(faults, 'definition.trigger')}
      onChange={(trigger) => onChange({ trigger })}
    />
  );
}

function WherePart({
  definition,
  faults,
  tried,
  onChange,
}: PartProps & { tried: boolean; onChange: (definition: Definition) => void }) {
  const { t } = useTranslation('automations');
  const [conditional, setConditional] = useState(definition.where !== undefined);
  const { where: _, ...rest } = definition;
  return (
    <div className={css.form}>
      <Checkbox
        label={t('automations:conditional')}
        description={t('automations:conditionalHelp')}
        checked={conditional}
        onChange={(on) => {
          setConditional(on);
          if (!on) onChange(rest);
        }}
      />
      {conditional && (
        <ConditionBuilder
          key={definition.object}
          object={definition.object}
          where={definition.where ?? null}
          showProblems={tried}
          faults={faultsAt(faults, 'definition.where')}
          onChange={(where) => onChange(where === null ? rest : { ...rest, where })}
        />
      )}
    </div>
  );
}
