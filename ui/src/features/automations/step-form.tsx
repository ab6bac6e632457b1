import { useQuery } from '@tanstack/react-query';
import { orgQuery, usersQuery } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { canRead, findField, findObject, useObjects } from '@/metadata';
import { MultiSelect, Select, TagsInput, Textarea, TextInput } from '@/ui';
import css from './automations.module.css';
import { faultAt, faultsAt } from './draft';
import { optionsOf, usePlaces } from './parts';
import { MailForm } from './step-mail';
import type { StepProps } from './step-types';
import { WaitForm } from './step-wait';
import { WhereForm } from './step-where';
import { ValueEditor } from './value-editor';

/** What a step does, by its kind. Branches show their steps beside it. */
export function StepForm(props: StepProps) {
  switch (props.step.kind) {
    case 'update':
      return <UpdateForm {...props} />;
    case 'create':
      return <CreateForm {...props} />;
    case 'assign':
      return <AssignForm {...props} />;
    case 'tag':
      return <TagForm {...props} />;
    case 'notify':
      return <NotifyForm {...props} />;
    case 'email':
      return <MailForm {...props} />;
    case 'webhook':
      return <CallForm {...props} />;
    case 'wait':
      return <WaitForm {...props} />;
    case 'branch':
      return <WhereForm {...props} />;
    case 'stop':
      return null;
  }
}

/** The record itself, or one that a relation leads to. */
function Target({ definition, step, faults, onChange }: StepProps) {
  const { t } = useTranslation('automations');
  const label = useLabel();
  const object = findObject(useObjects(), definition.object);
  const relations = (object?.fields ?? []).filter((field) => field.type === 'relation' && canRead(field));
  if (relations.length === 0) return null;
  return (
    <div className={css.narrow}>
      <Select
        label={t('automations:step.on')}
        options={[{ value: '', label: t('automations:step.self') }, ...optionsOf(relations, label)]}
        value={step.on ?? ''}
        onChange={(on) => {
          const { on: _, ...rest } = step;
          const empty = { ...(step.kind === 'update' && { values: [] }), ...(step.kind === 'tag' && { field: '' }) };
          onChange({ ...rest, ...empty, ...(on !== null && on !== '' && { on }) });
        }}
        error={faultAt(faults, 'on')}
      />
    </div>
  );
}

function useTarget({ definition, step }: StepProps) {
  const objects = useObjects();
  const about = findObject(objects, definition.object);
  const target = step.on === undefined ? about : findObject(objects, findField(about, step.on)?.target);
  return { about, target };
}

function UpdateForm(props: StepProps) {
  const { about, target } = useTarget(props);
  const { step, faults, onChange } = props;
  return (
    <>
      <Target {...props} />
      <ValueEditor
        object={target}
        about={about}
        creating={false}
        values={step.values ?? []}
        faults={faultsAt(faults, 'values')}
        onChange={(values) => onChange({ ...step, values })}
      />
    </>
  );
}

function CreateForm({ definition, step, faults, onChange }: StepProps) {
  const { t } = useTranslation('automations');
  const label = useLabel();
  const objects = useObjects();
  return (
    <>
      <div className={css.narrow}>
        <Select
          label={t('automations:step.object')}
          searchable
          options={objects
            .filter(({ actions }) => actions.create)
            .map((each) => ({ value: each.key, label: label(each.label, each.key) }))}
          value={step.object ?? null}
          onChange={(object) => object !== null && object !== step.object && onChange({ ...step, object, values: [] })}
          error={faultAt(faults, 'object')}
        />
      </div>
      <ValueEditor
        object={findObject(objects, step.object)}
        about={findObject(objects, definition.object)}
        creating
        values={step.values ?? []}
        faults={faultsAt(faults, 'values')}
        onChange={(values) => onChange({ ...step, values })}
      />
    </>
  );
}

function People({ step, faults, onChange }: StepProps) {
  const { t } = useTranslation('automations');
  const users = useQuery(usersQuery()).data?.items ?? [];
  const units = useQuery(orgQuery()).data?.items ?? [];
  return (
    <div className={css.inlineForm}>
      <MultiSelect
        label={t('automations:step.people')}
        searchable
        options={users.map((user) => ({ value: user.id, label: user.name || user.email }))}
        value={step.people ?? []}
        onChange={(people) => onChange({ ...step, people })}
        error={faultAt(faults, 'people')}
      />
      {units.length > 0 && (
        <Select
          label={t('automations:step.team')}
          clearable
          options={units.map((unit) => ({ value: unit.id, label: unit.name }))}
          value={step.team ?? null}
          onChange={(team) => {
            const { team: _, ...rest } = step;
            onChange(team === null ? rest : { ...rest, team });
          }}
          error={faultAt(faults, 'team')}
        />
      )}
    </div>
  );
}

const HOWS = ['person', 'turn', 'load', 'customer_owner'] as const;

function AssignForm(props: StepProps) {
  const { step, faults, onChange } = props;
  const { t } = useTranslation('automations');
  const users = useQuery(usersQuery()).data?.items ?? [];
  const how = step.how ?? 'person';
  return (
    <>
      <Target {...props} />
      <div className={css.narrow}>
        <Select
          label={t('automations:step.how')}
          options={HOWS.map((each) => ({ value: each, label: t(`automations:how.${each}`) }))}
          value={how}
          onChange={(next) => {
            const { team: _, ...rest } = step;
            if (next !== null) onChange({ ...rest, how: next as (typeof HOWS)[number], people: [] });
          }}
          error={faultAt(faults, 'how') ?? faultAt(faults, '')}
        />
      </div>
      {how === 'person' && (
        <div className={css.narrow}>
          <Select
            label={t('automations:step.person')}
            searchable
            options={users.map((user) => ({ value: user.id, label: user.name || user.email }))}
            value={step.people?.[0] ?? null}
            onChange={(person) => onChange({ ...step, people: person === null ? [] : [person] })}
            error={faultAt(faults, 'people')}
          />
        </div>
      )}
      {(how === 'turn' || how === 'load') && <People {...props} />}
    </>
  );
}

function TagForm(props: StepProps) {
  const { step, faults, onChange } = props;
  const { t } = useTranslation('automations');
  const label = useLabel();
  const { target } = useTarget(props);
  const fields = (target?.fields ?? []).filter(({ type }) => type === 'tags' || type === 'multi_choice');
  const field = findField(target, step.field ?? '');
  const choices = (field?.options ?? []).map(({ key, label: name }) => ({ value: key, label: label(name, key) }));
  const input = (which: 'add' | 'remove') => {
    const shared = {
      label: t(`automations:tags.${which}`),
      value: step[which] ?? [],
      onChange: (list: string[]) => onChange({ ...step, [which]: list }),
      error: faultAt(faults, which),
    };
    return choices.length > 0 ? <MultiSelect searchable options={choices} {...shared} /> : <TagsInput {...shared} />;
  };
  return (
    <>
      <Target {...props} />
      <div className={css.narrow}>
        <Select
          label={t('automations:step.tagField')}
          options={optionsOf(fields, label)}
          value={step.field || null}
          onChange={(key) => onChange({ ...step, field: key ?? '', add: [], remove: [] })}
          error={faultAt(faults, 'field')}
        />
      </div>
      {field !== undefined && (
        <div className={css.inlineForm}>
          {input('add')}
          {input('remove')}
        </div>
      )}
    </>
  );
}

const READERS = ['owner', 'customer_owner', 'runner'] as const;

function NotifyForm(props: StepProps) {
  const { definition, step, faults, onChange } = props;
  const { t } = useTranslation('automations');
  const objects = useObjects();
  const places = usePlaces(findObject(objects, definition.object), objects);
  return (
    <>
      <div className={css.narrow}>
        <MultiSelect
          label={t('automations:step.to')}
          options={READERS.map((each) => ({ value: each, label: t(`automations:reader.${each}`) }))}
          value={step.to ?? []}
          onChange={(to) => onChange({ ...step, to: to as (typeof READERS)[number][] })}
        />
      </div>
      <People {...props} />
      <Textarea
        label={t('automations:step.text')}
        description={t('automations:value.textHint')}
        minRows={2}
        value={step.text ?? ''}
        onChange={(text) => onChange({ ...step, text })}
        error={faultAt(faults, 'text')}
      />
      <div className={css.places}>
        <Select
          aria-label={t('automations:value.place')}
          placeholder={t('automations:value.place')}
          searchable
          options={places}
          value={null}
          onChange={(place) => place !== null && onChange({ ...step, text: `${step.text ?? ''}{${place}}` })}
        />
      </div>
    </>
  );
}

function CallForm({ definition, step, faults, onChange }: StepProps) {
  const { t } = useTranslation('automations');
  const label = useLabel();
  const object = findObject(useObjects(), definition.object);
  return (
    <>
      <TextInput
        label={t('automations:step.url')}
        description={t('automations:step.urlHelp')}
        type="url"
        placeholder="https://example.com/hooks/guanxi"
        value={step.url ?? ''}
        onChange={(url) => onChange({ ...step, url })}
        error={faultAt(faults, 'url')}
      />
      <MultiSelect
        label={t('automations:step.fields')}
        description={t('automations:step.fieldsHelp')}
        searchable
        options={optionsOf((object?.fields ?? []).filter(canRead), label)}
        value={step.fields ?? []}
        onChange={(fields) => onChange({ ...step, fields })}
      />
    </>
  );
}
