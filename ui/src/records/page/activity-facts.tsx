import type { RecordData } from '@/api';
import { type FieldContext, isEmptyValue, isRef, kindOf } from '@/fields';
import { labelText } from '@/i18n';
import { findField, useObject } from '@/metadata';
import { isOverdue } from '../work/activity-row';
import css from './timeline.module.css';

/** What a timeline says of each kind of activity, in this order; the text below. */
const TOLD: Record<string, readonly string[]> = {
  task: ['status', 'due_at', 'priority', 'assignee'],
  call: ['direction', 'result', 'minutes', 'assignee'],
  meeting: ['status', 'starts_at', 'place', 'assignee'],
  visit: ['status', 'purpose', 'starts_at', 'place', 'assignee'],
  note: [],
};
const TEXTS = ['outcome', 'note', 'body'];

/** The facts of an activity, and what was said or written, as it was typed. */
export function ActivityFacts({
  record,
  object: key,
  by,
  context,
}: {
  record: RecordData;
  object: string;
  /** Who made it, which is said already. */
  by: string | undefined;
  context: FieldContext;
}) {
  const object = useObject(key);
  const facts = (TOLD[key] ?? []).flatMap((name) => {
    const field = findField(object, name);
    const value = record.fields[name];
    if (field === undefined || isEmptyValue(value) || (name === 'priority' && value === 'normal')) return [];
    if (name === 'assignee' && isRef(value) && value.id === by) return [];
    const unit = name === 'minutes' ? labelText(field.label, context.language) : '';
    return [{ name, text: [unit, kindOf(field.type).text(value, field, context)].filter(Boolean).join(' ') }];
  });
  const texts = TEXTS.map((name) => record.fields[name]).filter((text) => typeof text === 'string' && text !== '');
  return (
    <>
      {facts.length > 0 && (
        <div className={css.facts} data-late={isOverdue(record, context.fmt) || undefined}>
          {facts.map((fact) => (
            <span key={fact.name} data-fact={fact.name}>
              {fact.text}
            </span>
          ))}
        </div>
      )}
      {texts.map((text) => (
        <div key={String(text)} className={css.body}>
          {String(text)}
        </div>
      ))}
    </>
  );
}
