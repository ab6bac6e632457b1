import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { isApiError, letterDeskQuery, type RecordData, refreshWork, sendLetter } from '@/api';
import { loadWords, useLabel, useTranslation } from '@/i18n';
import { findObject, useObjects } from '@/metadata';
import { Button, ErrorState, Menu, Select, SkeletonRows, Textarea, TextInput, toast } from '@/ui';
import { PurposeSelect } from '../consent/purpose-select';
import css from './letter.module.css';

/** A field may stand in a letter when its value is nobody's secret and can be said in words. */
const SAYABLE = [
  'text',
  'choice',
  'date',
  'datetime',
  'number',
  'money',
  'percent',
  'user',
  'relation',
  'birthday',
  'url',
];

const newKey = () => crypto.getRandomValues(new Uint32Array(4)).join('-');

interface Props {
  record: RecordData;
  onDone: () => void;
}

/** Writes a mail to the customer, once its words are there. */
export function LetterForm(props: Props) {
  const [ready, setReady] = useState(false);
  useEffect(() => {
    void loadWords('letter').then(() => setReady(true));
  }, []);
  return ready ? <Form {...props} /> : <SkeletonRows rows={3} />;
}

function Form({ record, onDone }: Props) {
  const { t } = useTranslation(['letter', 'common']);
  const label = useLabel();
  const client = useQueryClient();
  const object = findObject(useObjects(), record.object);
  const { data, error, refetch } = useQuery(letterDeskQuery(record.object, record.id));
  const [field, setField] = useState<string | null>(null);
  const [subject, setSubject] = useState('');
  const [text, setText] = useState('');
  const [purpose, setPurpose] = useState('');
  const [fault, setFault] = useState<unknown>(null);
  const [sending, setSending] = useState(false);
  // One key for what is written here: sent twice it is sent once.
  const key = useRef(newKey());
  if (data === undefined)
    return error === null ? <SkeletonRows rows={3} /> : <ErrorState compact error={error} onRetry={() => refetch()} />;
  if (!data.ready) return <p className="muted">{t('letter:notReady')}</p>;
  if (data.quiet) return <p className="muted">{t('letter:quiet')}</p>;
  if (data.addresses.length === 0) return <p className="muted">{t('letter:noAddress')}</p>;
  const to = field ?? data.addresses[0]?.field ?? '';
  const at = (name: string) => (isApiError(fault) ? fault.at(name) : undefined);
  const whole = fault instanceof Error && (!isApiError(fault) || fault.fields.length === 0) ? fault.message : null;
  const send = async () => {
    setSending(true);
    setFault(null);
    try {
      await sendLetter(record.object, record.id, { key: key.current, field: to, subject, text, purpose });
      toast.ok(t('letter:sent'));
      void refreshWork(client);
      void client.invalidateQueries({ queryKey: ['timeline'] });
      onDone();
    } catch (failure) {
      setFault(failure);
    } finally {
      setSending(false);
    }
  };
  const fields = (object?.fields ?? []).filter((each) => SAYABLE.includes(each.type) && !each.personal);
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <Select
        label={t('letter:to')}
        value={to}
        onChange={setField}
        options={data.addresses.map((each) => ({
          value: each.field,
          label: `${label(each.label, each.field)} \u00b7 ${each.shown}`,
        }))}
        error={at('field')}
      />
      <PurposeSelect value={purpose} onChange={setPurpose} error={at('purpose')} />
      <TextInput
        label={t('letter:subject')}
        required
        autoFocus
        maxLength={200}
        value={subject}
        onChange={setSubject}
        error={at('subject')}
      />
      <Textarea
        label={t('letter:text')}
        required
        minRows={5}
        maxRows={16}
        value={text}
        onChange={setText}
        error={at('text')}
      />
      {whole !== null && (
        <p className={css.problem} role="alert">
          {whole}
        </p>
      )}
      <div className={css.actions}>
        <Button type="submit" kind="primary" loading={sending} disabled={subject.trim() === '' || text.trim() === ''}>
          {t('letter:send')}
        </Button>
        <Button onClick={onDone}>{t('common:cancel')}</Button>
        <span className={css.grow} />
        <Menu
          target={<Button kind="subtle">{t('letter:insert')}</Button>}
          entries={fields.map((each) => ({
            label: label(each.label, each.key),
            onSelect: () => setText((old) => `${old}{{${each.key}}}`),
          }))}
        />
      </div>
    </form>
  );
}
