import { useQueryClient } from '@tanstack/react-query';
import { Suspense, useState } from 'react';
import {
  type Activity,
  type ApiError,
  errorText,
  type Field,
  type FieldValues,
  isApiError,
  type ObjectType,
  type RecordData,
  recordKeys,
  refreshWork,
} from '@/api';
import { FieldEditor, isEmptyValue } from '@/fields';
import { labelText, useFormat, useLanguage, useTranslation } from '@/i18n';
import { addDays, zonedToUtc } from '@/lib/day';
import { findField } from '@/metadata';
import { Button, toast } from '@/ui';
import { startValues } from '../edit/draft';
import css from './composer.module.css';
import { HereButton, Pictures } from './pictures';
import { saveActivity } from './save-activity';

/** What one says of each at once; everything else is a press away, on the record itself. */
export const ASKED: Record<Activity, readonly string[]> = {
  note: ['body'],
  task: ['subject', 'due_at', 'priority', 'assignee', 'reminder', 'repeat'],
  call: ['subject', 'direction', 'result', 'starts_at', 'minutes', 'outcome'],
  meeting: ['subject', 'starts_at', 'ends_at', 'place', 'assignee', 'reminder'],
  visit: ['subject', 'purpose', 'starts_at', 'place', 'assignee', 'reminder'],
};
export const WIDE = new Set(['subject', 'body', 'outcome']);

/** What is arranged begins at a full hour that is still to come. */
function nextHour(): string {
  const at = new Date();
  at.setUTCHours(at.getUTCHours() + 1, 0, 0, 0);
  return at.toISOString();
}

interface Props {
  /** What the new activity is about. */
  record: RecordData;
  kind: Activity;
  object: ObjectType;
  onDone: () => void;
}

/** Writes down one activity about a record. */
export function ActivityForm({ record, kind, object, onDone }: Props) {
  const { t } = useTranslation(['work', 'common', 'records', 'offline']);
  const language = useLanguage();
  const { today, timeZone } = useFormat();
  const client = useQueryClient();
  const about = { object: record.object, id: record.id, title: record.title };
  const [values, setValues] = useState<FieldValues>(() => ({
    ...startValues(object, today()),
    about,
    ...((kind === 'meeting' || kind === 'visit') && { starts_at: nextHour() }),
    ...(kind === 'call' && { subject: t('work:callWith', { name: record.title }) }),
    ...(kind === 'visit' && { subject: t('work:visitTo', { name: record.title }) }),
  }));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const [pictures, setPictures] = useState<readonly File[]>([]);
  const [lacking, setLacking] = useState<readonly string[]>([]);
  const fields = ASKED[kind].map((key) => findField(object, key)).filter((field) => field !== undefined);
  const change = (patch: FieldValues) => {
    setValues((old) => ({ ...old, ...patch }));
    setLacking((old) => old.filter((key) => !(key in patch)));
  };
  const errorOf = (field: Field) => (lacking.includes(field.key) ? t('records:form.needed') : problem?.at(field.key));
  const save = async () => {
    const missing = fields.filter((field) => field.required && isEmptyValue(values[field.key])).map((each) => each.key);
    setLacking(missing);
    if (missing.length > 0 || busy) return;
    setBusy(true);
    try {
      const { made, title, lostPictures } = await saveActivity(object, values, about, pictures);
      const said = { kind: labelText(object.label, language), name: title };
      if (made === null) toast.info(t('offline:kept', said), { detail: t('offline:keptText') });
      else toast.ok(t('work:added', said));
      if (lostPictures > 0) toast.error(t('offline:visit.lost', { count: lostPictures }));
      onDone();
      void refreshWork(client);
      void client.invalidateQueries({ queryKey: recordKeys.object(object.key) });
    } catch (error) {
      const known = isApiError(error) ? error : null;
      setProblem(known);
      if (known === null || !fields.some((field) => known.at(field.key) !== undefined))
        toast.error(t('common:failed.save'), { detail: errorText(error) });
    } finally {
      setBusy(false);
    }
  };
  const day = (count: number) =>
    change({ due_at: zonedToUtc(addDays(today(), count), '00:00', timeZone), all_day: true });
  return (
    <form
      className={css.form}
      noValidate
      aria-label={labelText(object.label, language, kind)}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.metaKey || event.ctrlKey) && !event.nativeEvent.isComposing) {
          event.preventDefault();
          void save();
        }
        if (event.key === 'Escape' && !event.defaultPrevented && !event.nativeEvent.isComposing) onDone();
      }}
    >
      <div className={css.fields}>
        {fields.map((field, at) => (
          <div key={field.key} className={css.field} data-wide={WIDE.has(field.key) || undefined}>
            <FieldEditor
              field={field}
              value={values[field.key]}
              onChange={(value) => change({ [field.key]: value, ...(field.key === 'due_at' && { all_day: false }) })}
              label={labelText(field.label, language, field.key)}
              error={errorOf(field)}
              required={field.required}
              autoFocus={at === 0}
            />
          </div>
        ))}
      </div>
      <div className={css.foot}>
        {kind === 'task' && (
          <div className={css.quick}>
            <Button kind="subtle" onClick={() => day(0)}>
              {t('work:today')}
            </Button>
            <Button kind="subtle" onClick={() => day(1)}>
              {t('work:tomorrow')}
            </Button>
            <Button kind="subtle" onClick={() => day(7)}>
              {t('work:inAWeek')}
            </Button>
          </div>
        )}
        {kind === 'visit' && (
          <Suspense>
            <HereButton onFound={(place) => change({ place: [values.place, place].filter(Boolean).join(' ') })} />
            <Pictures files={pictures} onChange={setPictures} />
          </Suspense>
        )}
        <span className="grow" />
        <Button onClick={onDone}>{t('common:cancel')}</Button>
        <Button kind="primary" type="submit" loading={busy}>
          {t('common:save')}
        </Button>
      </div>
    </form>
  );
}
