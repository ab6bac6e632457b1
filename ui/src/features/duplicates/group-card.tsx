import { useNavigate } from '@tanstack/react-router';
import type { DuplicateGroup, DuplicateReason, ObjectType, RecordData } from '@/api';
import { FieldView, isEmptyValue, useFieldContext } from '@/fields';
import { labelText, useFormat, useTranslation } from '@/i18n';
import { findField } from '@/metadata';
import { Reasons } from '@/records/duplicates/match-list';
import { usePeek } from '@/shell';
import { Button, Checkbox, Pill } from '@/ui';
import css from './duplicates.module.css';

interface Props {
  object: ObjectType;
  group: DuplicateGroup;
  busy: boolean;
  chosen: boolean;
  onChoose: (on: boolean) => void;
  onDecide: (decision: 'not_same' | 'later' | 'open') => void;
}

/** Columns beside the name that tell records apart at a glance: what was compared, then what the list shows. */
function columnsOf(object: ObjectType, group: DuplicateGroup): string[] {
  const compared = group.pairs.flatMap((pair) => pair.reasons.map((reason) => reason.field));
  return [...new Set([...compared, ...object.default_columns])]
    .filter((key) => key !== object.title_field && key !== 'created_at' && findField(object, key) !== undefined)
    .slice(0, 4);
}

const strongest = (group: DuplicateGroup): DuplicateReason[] => group.pairs[0]?.reasons ?? [];

export function GroupCard({ object, group, busy, chosen, onChoose, onDecide }: Props) {
  const { t } = useTranslation('duplicates');
  const fmt = useFormat();
  const context = useFieldContext();
  const navigate = useNavigate();
  const { open } = usePeek();
  const columns = columnsOf(object, group);
  const cell = (record: RecordData, key: string) => {
    const field = findField(object, key);
    if (field === undefined || isEmptyValue(record.fields[key])) return <span className="muted">{'\u2013'}</span>;
    return <FieldView field={field} value={record.fields[key]} context={context} />;
  };
  return (
    <article className={css.card}>
      <header className={css.head}>
        {group.sure && !group.later && (
          <Checkbox
            checked={chosen}
            onChange={onChoose}
            aria-label={`${t('duplicates:page.select')} ${group.records[0]?.title ?? ''}`}
          />
        )}
        <strong>{t('duplicates:score', { share: group.score })}</strong>
        {group.sure && <Pill color="green">{t('duplicates:page.sure')}</Pill>}
        <Reasons reasons={strongest(group)} />
      </header>
      <div className={css.scroll}>
        <table className={css.table}>
          <thead>
            <tr>
              <th scope="col">{labelText(object.label, context.language)}</th>
              {columns.map((key) => (
                <th key={key} scope="col">
                  {labelText(findField(object, key)?.label, context.language, key)}
                </th>
              ))}
              <th scope="col">{labelText(findField(object, 'created_at')?.label, context.language, '')}</th>
            </tr>
          </thead>
          <tbody>
            {group.records.map((record) => (
              <tr key={record.id}>
                <th scope="row">
                  <button
                    type="button"
                    className={css.name}
                    onClick={() => open({ object: object.key, id: record.id })}
                  >
                    {record.title || record.id}
                  </button>
                </th>
                {columns.map((key) => (
                  <td key={key}>{cell(record, key)}</td>
                ))}
                <td>{fmt.date(record.created_at)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <footer className={css.foot}>
        <Button
          kind="primary"
          disabled={busy}
          onClick={() =>
            navigate({
              to: '/merge/$object',
              params: { object: object.key },
              search: {
                ids: group.records
                  .slice(0, 8)
                  .map((record) => record.id)
                  .join(','),
              },
            })
          }
        >
          {t('duplicates:compare')}
        </Button>
        <Button disabled={busy} onClick={() => onDecide('not_same')}>
          {t('duplicates:notSame')}
        </Button>
        <Button kind="subtle" disabled={busy} onClick={() => onDecide(group.later ? 'open' : 'later')}>
          {group.later ? t('duplicates:page.reopen') : t('duplicates:page.later1')}
        </Button>
      </footer>
    </article>
  );
}
