import { IconCheck } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { type ObjectType, type RecordData, recordKeys, recordStagesQuery, type Stage } from '@/api';
import { labelText, useFormat, useLabel, useLanguage, useTranslation } from '@/i18n';
import { canEdit, findField } from '@/metadata';
import { useSaveFields } from '../edit/use-save-fields';
import css from './stage.module.css';

const DAY = 86_400;

/** Where a record stands on its way, how long it has been there, and a click to move it on. */
export function StagePath({ object, record }: { object: ObjectType; record: RecordData }) {
  const { t } = useTranslation('stages');
  const label = useLabel();
  const language = useLanguage();
  const fmt = useFormat();
  const client = useQueryClient();
  const [going, setGoing] = useState<string | null>(null);
  const { data } = useQuery(recordStagesQuery(object.key, record.id));
  const { save, dialog } = useSaveFields(
    object,
    (one) => labelText(one.label, language, one.key),
    () => void client.invalidateQueries({ queryKey: recordKeys.one(object.key, record.id) }),
  );
  const process = data?.process ?? null;
  const field = process === null ? undefined : findField(object, process.spec.field);
  if (process === null || field === undefined) return null;
  const { stages } = process.spec;
  const current = record.fields[field.key] as string | null | undefined;
  const at = stages.findIndex((one) => one.key === current);
  const here = stages[at];
  const stay = data?.stays.findLast((one) => one.left_at === null && one.stage === current);
  const seconds = stay === undefined ? 0 : Math.max(0, (Date.now() - new Date(stay.entered_at).getTime()) / 1000);
  const late = here !== undefined && here.days > 0 && seconds > here.days * DAY;
  const editable = canEdit(field, object) && record.deleted_at === null;
  const name = (key: string) => label(field.options?.find((one) => one.key === key)?.label, key);
  const open = (one: Stage) => here?.to === undefined || here.to.length === 0 || here.to.includes(one.key);
  const go = async (one: Stage) => {
    setGoing(one.key);
    await save(record, { [field.key]: one.key });
    await client.invalidateQueries({ queryKey: recordKeys.one(object.key, record.id) });
    setGoing(null);
  };
  return (
    <section className={css.path} aria-label={labelText(field.label, language, field.key)}>
      <ol className={css.stages}>
        {stages.map((one, index) => {
          const is = one.key === current;
          const past = at >= 0 && index < at && one.kind === 'open' && here?.kind !== 'lost';
          const may = editable && !is && going === null && open(one);
          return (
            <li key={one.key} data-kind={one.kind} data-here={is || undefined} data-past={past || undefined}>
              <button
                type="button"
                disabled={!may}
                aria-current={is ? 'step' : undefined}
                title={may ? t('stages:path.move', { name: name(one.key) }) : name(one.key)}
                onClick={() => void go(one)}
              >
                {past && <IconCheck size={13} aria-hidden />}
                <span className="truncate">{name(one.key)}</span>
              </button>
            </li>
          );
        })}
      </ol>
      {here !== undefined && (
        <div className={css.facts}>
          {stay !== undefined && (
            <span className={late ? css.late : undefined}>
              {t(late ? 'stages:path.late' : 'stages:path.since', {
                time: t('stages:days', { count: Math.floor(seconds / DAY) }),
                goal: t('stages:days', { count: here.days }),
              })}
            </span>
          )}
          {here.kind === 'open' && here.probability > 0 && (
            <span>{t('stages:path.probability', { share: here.probability })}</span>
          )}
          {stay?.due_at && (
            <span>{t('stages:path.moves', { when: fmt.relative(stay.due_at), name: name(here.next ?? '') })}</span>
          )}
        </div>
      )}
      {dialog}
    </section>
  );
}
