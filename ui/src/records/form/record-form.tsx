import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState } from 'react';
import {
  type ApiError,
  approvalSent,
  duplicatesIn,
  errorText,
  type Field,
  type FieldValues,
  isApiError,
  isApprovalNeeded,
  type ObjectType,
  type RecordData,
  trialQuery,
  useCreateRecord,
} from '@/api';
import { FieldEditor } from '@/fields';
import { labelText, useFormat, useLanguage, useTranslation } from '@/i18n';
import { useDebounced } from '@/lib/hooks';
import { type FieldSection, isConditional, useCan } from '@/metadata';
import { Button, ButtonLink, Drawer, useGiveUp } from '@/ui';
import { formSections, missing, startValues, toCreate } from '../edit/draft';
import css from './form.module.css';

const FormHint = lazy(() => import('../duplicates/form-hint').then((module) => ({ default: module.FormHint })));
const DuplicateDialog = lazy(() =>
  import('../duplicates/duplicate-dialog').then((module) => ({ default: module.DuplicateDialog })),
);

interface Props {
  object: ObjectType;
  /** Values that are clear from where one comes: the customer of a new order. */
  given?: FieldValues;
  onClose: () => void;
  onCreated: (record: RecordData) => void;
}

const WIDE = new Set<Field['type']>(['long_text', 'address', 'birthday', 'json', 'file', 'image']);
const OPEN = new Set(['basic', 'contact', 'amount', 'price']);

/** A new record: what is needed first, the rest by section. The server's objections stand at their fields. */
export function RecordForm({ object, given, onClose, onCreated }: Props) {
  const { t } = useTranslation(['records', 'fields', 'common']);
  const language = useLanguage();
  const { today } = useFormat();
  const can = useCan();
  const navigate = useNavigate();
  const [values, setValues] = useState<FieldValues>(() => startValues(object, today(), given));
  const [tried, setTried] = useState<readonly string[]>([]);
  const [dirty, setDirty] = useState(false);
  const create = useCreateRecord(object.key);
  const [sending, setSending] = useState<readonly string[]>([]);
  // What needs approval was sent for it: there is nothing more to do here.
  useEffect(
    () =>
      approvalSent.subscribe(() => {
        const sent = approvalSent.get();
        if (sent?.object === object.key && sent.action === 'create') onClose();
      }),
    [object.key, onClose],
  );
  const checked = useDebounced(values, 300);
  const ruled = object.rules?.some((rule) => rule.off !== true) === true;
  const conditional = isConditional(object);
  const trial = useQuery(trialQuery(object.key, toCreate(object, checked), conditional || (ruled && dirty))).data;
  const live = dirty ? (trial?.problems ?? []) : [];
  const said = {
    // What may be hidden is not shown before that is known.
    hidden: trial?.hidden ?? object.fields.filter((field) => field.shown_when !== undefined).map((field) => field.key),
    required: trial?.required ?? [],
  };
  const shown = (field: Field) => !said.hidden.includes(field.key);
  const laid = formSections(object);
  const needed = laid.needed.filter(shown);
  const sections = laid.sections
    .map((section) => ({ ...section, fields: section.fields.filter(shown) }))
    .filter((section) => section.fields.length > 0);
  const problem: ApiError | null = isApiError(create.error) ? create.error : null;
  const known = new Set([...needed, ...sections.flatMap((section) => section.fields)].map((field) => field.key));
  // What stands at a field is not said twice.
  const unplaced =
    problem?.fields.filter((error) => ![...known].some((key) => problem.at(key) === error.message)) ?? [];
  const placed = (problem?.fields.length ?? 0) > 0 && unplaced.length === 0;
  const rest = unplaced.map((error) => error.message).join(' ');
  const objection = placed ? '' : rest || errorText(create.error);

  const other = problem?.fields.find((each) => each.record !== undefined)?.record;

  const errorOf = (field: Field): string | undefined => {
    if (tried.includes(field.key)) return t('records:form.needed');
    return problem?.at(field.key) ?? live.find((rule) => rule.location === `fields.${field.key}`)?.message;
  };
  const change = (field: Field, value: unknown) => {
    setDirty(true);
    setValues((old) => ({ ...old, [field.key]: value }));
    setTried((old) => old.filter((key) => key !== field.key));
  };
  const busy = (field: Field, on: boolean) =>
    setSending((old) => [...old.filter((key) => key !== field.key), ...(on ? [field.key] : [])]);
  const save = () => {
    if (sending.length > 0) return;
    const lacking = missing(object, values, said);
    setTried(lacking);
    if (lacking.length > 0) return;
    create.mutate({ fields: toCreate(object, values, said.hidden) }, { onSuccess: onCreated });
  };
  const found = duplicatesIn(create.error);
  const anyway = (then: (record: RecordData) => void) =>
    create.mutate({ fields: toCreate(object, values, said.hidden), anyway: true }, { onSuccess: then });
  const others = (found?.items ?? []).flatMap((match) =>
    match.record === null || match.deleted ? [] : [match.record.id],
  );
  const compare = (record: RecordData) => {
    onCreated(record);
    void navigate({
      to: '/merge/$object',
      params: { object: object.key },
      search: { ids: [...others.slice(0, 7), record.id].join(',') },
    });
  };
  const close = useGiveUp(dirty, onClose);
  const editor = (field: Field, autoFocus = false) => (
    <div key={field.key} className={css.field} data-wide={WIDE.has(field.type) || undefined}>
      <FieldEditor
        field={field}
        value={values[field.key]}
        onChange={(value) => change(field, value)}
        label={labelText(field.label, language, field.key)}
        description={field.help === undefined ? undefined : labelText(field.help, language)}
        error={errorOf(field)}
        required={field.required || said.required.includes(field.key)}
        onBusy={(on) => busy(field, on)}
        size="lg"
        autoFocus={autoFocus}
      />
    </div>
  );

  return (
    <Drawer
      opened
      onClose={onClose}
      dirty={dirty}
      title={t('records:form.title', { name: labelText(object.label, language) })}
      size={520}
    >
      <form
        className={css.form}
        data-footed
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        {needed.length > 0 && <div className={css.needed}>{needed.map((field, at) => editor(field, at === 0))}</div>}
        {sections.map((section, nth) => (
          <Section
            key={section.key}
            title={
              labelText(section.title, language) || t(`fields:section.${section.key}`, { defaultValue: section.key })
            }
            startOpen={object.layout === undefined ? OPEN.has(section.key) : startsOpen(section)}
            failing={section.fields.some((field) => errorOf(field) !== undefined)}
            columns={section.columns}
          >
            {section.fields.map((field, at) => editor(field, needed.length + nth + at === 0))}
          </Section>
        ))}
        {live
          .filter((rule) => rule.location === '')
          .map((rule) => (
            <div key={rule.message} className={css.problem} role="status">
              {rule.message}
            </div>
          ))}
        {dirty && (
          <Suspense>
            <FormHint object={object} values={toCreate(object, values)} />
          </Suspense>
        )}
        {create.isError && found === null && !isApprovalNeeded(create.error) && objection !== '' && (
          <div className={css.problem} role="alert">
            {objection}
          </div>
        )}
        {other !== undefined && (
          <ButtonLink to="/o/$object/$id" params={{ object: object.key, id: other }}>
            {t('records:form.openOther')}
          </ButtonLink>
        )}
        <div className={css.foot}>
          <Button size="lg" onClick={close}>
            {t('common:cancel')}
          </Button>
          <Button size="lg" kind="primary" type="submit" loading={create.isPending || sending.length > 0}>
            {t('common:create')}
          </Button>
        </div>
      </form>
      {found !== null && (
        <Suspense>
          <DuplicateDialog
            object={object}
            found={found}
            busy={create.isPending}
            anyway={t('records:form.anyway')}
            onAnyway={() => anyway(onCreated)}
            onCompare={can('record.merge') && others.length > 0 ? () => anyway(compare) : undefined}
            onClose={() => create.reset()}
          />
        </Suspense>
      )}
    </Drawer>
  );
}

/** What a layout says; what it does not name waits behind its heading, unless it is needed. */
const startsOpen = (section: FieldSection): boolean =>
  section.collapsed === undefined && section.title === undefined
    ? section.fields.some((field) => field.required)
    : section.collapsed !== true;

interface SectionProps {
  title: string;
  columns: number | undefined;
  startOpen: boolean;
  failing: boolean;
  children: React.ReactNode;
}
function Section({ title, startOpen, failing, columns, children }: SectionProps) {
  const [opened, setOpened] = useState(startOpen);
  const open = opened || failing;
  return (
    <section className={css.section}>
      <button type="button" className={css.sectionHead} aria-expanded={open} onClick={() => setOpened(!open)}>
        {open ? <IconChevronDown size={15} /> : <IconChevronRight size={15} />}
        {title}
      </button>
      {open && (
        <div className={css.fields} data-columns={columns}>
          {children}
        </div>
      )}
    </section>
  );
}
