import { useId, useState } from 'react';
import { type ConsentPolicy, type ConsentStatement, isApiError, recordConsents } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { Button, Checkbox, Modal, MultiSelect, SegmentedControl, Select, Textarea, TextInput } from '@/ui';
import css from './consent.module.css';

interface Props {
  customer: string;
  policy: ConsentPolicy;
  opened: boolean;
  onClose: () => void;
  onDone: (unsent: boolean) => void;
}

/** Records what a customer said, by several channels at once. */
export function RecordDialog(props: Props) {
  const { t } = useTranslation(['consent', 'common']);
  return (
    <Modal opened={props.opened} onClose={props.onClose} title={t('consent:record')} size={520}>
      {props.opened && <Form {...props} />}
    </Modal>
  );
}

type Source = NonNullable<ConsentStatement['source']>;
const SOURCES: readonly Source[] = ['agent', 'form', 'api'];

async function fingerprint(file: File): Promise<string> {
  const sum = await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
  return [...new Uint8Array(sum)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function Form({ customer, policy, onClose, onDone }: Props) {
  const { t } = useTranslation(['consent', 'common']);
  const label = useLabel();
  const open = policy.purposes.filter((purpose) => !purpose.retired);
  const [purposeKey, setPurposeKey] = useState(open[0]?.key ?? '');
  const purpose = open.find((each) => each.key === purposeKey);
  const [channels, setChannels] = useState<string[]>(purpose?.channels.slice(0, 1) ?? []);
  const [state, setState] = useState<'given' | 'withdrawn'>('given');
  const [source, setSource] = useState<Source>('agent');
  const [page, setPage] = useState('');
  const [note, setNote] = useState('');
  const [guardian, setGuardian] = useState(false);
  const file = useId();
  const [evidence, setEvidence] = useState('');
  const [fault, setFault] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const problem = isApiError(fault) ? fault : null;
  const at = (name: string) => problem?.fields.find((each) => each.location.endsWith(`.${name}`))?.message;
  const choose = (key: string | null) => {
    const next = open.find((each) => each.key === key);
    setPurposeKey(key ?? '');
    setChannels(next?.channels.filter((channel) => channels.includes(channel)) ?? []);
    if (next?.channels.length === 1) setChannels(next.channels);
  };
  const send = async () => {
    setBusy(true);
    setFault(null);
    try {
      const done = await recordConsents(
        customer,
        channels.map((channel) => ({ purpose: purposeKey, channel, state, source, guardian, page, note, evidence })),
      );
      onDone(done.unsent);
    } catch (failure) {
      setFault(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <SegmentedControl
        label={t('consent:what')}
        fullWidth
        value={state}
        onChange={setState}
        options={[
          { value: 'given', label: t('consent:agreed') },
          { value: 'withdrawn', label: t('consent:refused') },
        ]}
      />
      <Select
        label={t('consent:purpose')}
        value={purposeKey}
        onChange={choose}
        options={open.map((each) => ({ value: each.key, label: label(each.label, each.key) }))}
        error={at('purpose')}
      />
      <MultiSelect
        label={t('consent:channels')}
        value={channels}
        onChange={setChannels}
        options={(purpose?.channels ?? []).map((channel) => ({
          value: channel,
          label: t(`consent:channel.${channel}`),
        }))}
        error={at('channel')}
      />
      <Select
        label={t('consent:how')}
        value={source}
        onChange={(next) => setSource((next as Source | null) ?? 'agent')}
        options={SOURCES.map((each) => ({ value: each, label: t(`consent:source.${each}`) }))}
        error={at('source')}
      />
      {source !== 'agent' && (
        <TextInput
          label={t('consent:page')}
          description={t('consent:pageText')}
          value={page}
          onChange={setPage}
          error={at('page')}
        />
      )}
      <Textarea
        label={t('consent:note')}
        description={t('consent:noteText')}
        minRows={2}
        maxRows={8}
        value={note}
        onChange={setNote}
        error={at('note')}
      />
      <div className={css.file}>
        <label htmlFor={file}>{t('consent:file')}</label>
        <input
          id={file}
          type="file"
          aria-describedby={`${file}-text`}
          onChange={(event) => {
            const chosen = event.currentTarget.files?.[0];
            if (chosen === undefined) setEvidence('');
            else void fingerprint(chosen).then(setEvidence, setFault);
          }}
        />
        <span id={`${file}-text`} className={css.small}>
          {evidence === '' ? t('consent:fileText') : t('consent:fileChosen', { hash: evidence.slice(0, 16) })}
        </span>
      </div>
      <Checkbox label={t('consent:guardian')} checked={guardian} onChange={setGuardian} />
      {fault instanceof Error && (
        <p className={css.problem} role="alert">
          {fault.message}
        </p>
      )}
      <div className={css.bar}>
        <span className={css.grow} />
        <Button onClick={onClose}>{t('common:cancel')}</Button>
        <Button type="submit" kind="primary" loading={busy} disabled={channels.length === 0}>
          {t('common:save')}
        </Button>
      </div>
    </form>
  );
}
