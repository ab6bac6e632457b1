import { IconPlus } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { errorText, type FieldValues, recordKeys, refreshWork } from '@/api';
import { type QuickAdd, readQuickAdd, useFormat, useTranslation } from '@/i18n';
import { zonedToUtc } from '@/lib/day';
import { useObject } from '@/metadata';
import { startValues } from '@/records/edit/draft';
import { saveActivity } from '@/records/work/save-activity';
import { useShortcuts } from '@/shell';
import { Button, isComposing, TextInput, toast } from '@/ui';
import css from './day.module.css';

/** What the line means, said back while one types. */
function Understood({ quick }: { quick: QuickAdd }) {
  const { t } = useTranslation(['work', 'mine']);
  const fmt = useFormat();
  const parts = [
    quick.day !== null && `${fmt.date(quick.day)}${quick.clock === null ? '' : ` ${quick.clock}`}`,
    quick.priority !== 'normal' && t(`work:priority.${quick.priority}`),
    quick.repeat !== 'none' && t(`work:repeat.${quick.repeat}`),
  ].filter(Boolean);
  if (parts.length === 0) return <span className={css.hint}>{t('mine:quick.hint')}</span>;
  return <span className={css.understood}>{parts.join(' \u00b7 ')}</span>;
}

/** A task in one line: when, how urgent and how often are read out of the words. */
export function QuickAddBar({ today }: { today: string }) {
  const { t } = useTranslation(['work', 'common', 'shell', 'mine']);
  const { timeZone } = useFormat();
  const client = useQueryClient();
  const task = useObject('task');
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  useShortcuts([
    {
      keys: 'n',
      label: t('mine:quick.label'),
      group: t('shell:shortcuts.list'),
      run: () => input.current?.focus(),
    },
  ]);
  if (task?.standard !== true || !task.actions.create) return null;
  const quick = readQuickAdd(text, today);
  const save = async () => {
    if (quick.subject === '' || busy) return;
    const given: FieldValues = { subject: quick.subject, priority: quick.priority, repeat: quick.repeat };
    const fields = startValues(task, today, given);
    if (quick.day !== null) {
      fields.due_at = zonedToUtc(quick.day, quick.clock ?? '00:00', timeZone);
      fields.all_day = quick.clock === null;
    }
    if (quick.clock !== null) fields.reminder = '0';
    setBusy(true);
    try {
      const { made, title } = await saveActivity(task, fields, null);
      setText('');
      if (made === null) toast.info(t('work:kept', { name: title }));
      await Promise.all([refreshWork(client), client.invalidateQueries({ queryKey: recordKeys.object('task') })]);
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    } finally {
      setBusy(false);
      input.current?.focus();
    }
  };
  return (
    <form
      className={css.quick}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <div className={css.quickLine}>
        <div className="grow">
          <TextInput
            ref={input}
            aria-label={t('mine:quick.label')}
            placeholder={t('mine:quick.placeholder')}
            value={text}
            onChange={setText}
            maxLength={300}
            size="lg"
            leftSection={<IconPlus size={16} aria-hidden />}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && isComposing(event)) event.preventDefault();
            }}
          />
        </div>
        <Button kind="primary" size="lg" type="submit" loading={busy} disabled={quick.subject === ''}>
          {t('common:add')}
        </Button>
      </div>
      <div aria-live="polite">
        <Understood quick={quick} />
      </div>
    </form>
  );
}
