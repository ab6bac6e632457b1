import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import {
  isApiError,
  LAWS,
  type PrivacyRequest,
  privacySettingsQuery,
  REQUEST_CHANNELS,
  REQUEST_KINDS,
  REQUEST_PROOFS,
  REQUEST_STATES,
  type Ref,
  type RequestInput,
  usersQuery,
  useSaveRequest,
} from '@/api';
import { RecordSelect } from '@/fields/base/record-select';
import { useFormat, useTranslation } from '@/i18n';
import { Button, Checkbox, DatePicker, Modal, Select, Textarea, TextInput, toast } from '@/ui';
import css from './privacy.module.css';

interface Props {
  request: PrivacyRequest | undefined;
  onClose: () => void;
}

/** A request of a person: whom it is from, how that was made sure, by when it is due, and what came of it. */
export function RequestDialog({ request, onClose }: Props) {
  const { t } = useTranslation(['privacy', 'common']);
  const fmt = useFormat();
  const users = useQuery(usersQuery());
  const settings = useQuery(privacySettingsQuery());
  const save = useSaveRequest();
  const [person, setPerson] = useState<Ref | null>(request?.record ?? null);
  const [draft, setDraft] = useState<Partial<RequestInput>>({});
  const now: RequestInput = {
    kind: request?.kind ?? 'access',
    law: request?.law ?? settings.data?.law ?? 'pipl',
    record: request?.record?.id ?? '',
    channel: request?.channel ?? '',
    verified: request?.verified ?? '',
    received_on: request?.received_on ?? fmt.today(),
    extended: request?.extended ?? false,
    state: request?.state ?? 'open',
    assignee: request?.assignee?.id ?? '',
    outcome: request?.outcome ?? '',
    reference: request?.reference ?? '',
    ...draft,
  };
  const put = (change: Partial<RequestInput>) => setDraft({ ...draft, ...change });
  const fault = (field: string) => (isApiError(save.error) ? save.error.at(field) : undefined);
  const whole = isApiError(save.error) && save.error.fields.length === 0 ? save.error.message : null;
  const submit = async () => {
    try {
      await save.mutateAsync(
        request === undefined ? { input: now } : { id: request.id, version: request.version, input: draft },
      );
      toast.ok(t('common:saved'));
      onClose();
    } catch {
      // Shown at its field.
    }
  };
  const options = (values: readonly string[], words: string) =>
    values.map((value) => ({ value, label: t(`privacy:${words}.${value}`) }));
  return (
    <Modal
      opened
      onClose={onClose}
      size={620}
      title={request === undefined ? t('privacy:requests.add') : t('privacy:requests.one')}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" loading={save.isPending} onClick={() => void submit()}>
            {t('common:save')}
          </Button>
        </>
      }
    >
      <div className={css.form}>
        <div className={css.pair}>
          <Select
            label={t('privacy:requests.kind')}
            required
            options={options(REQUEST_KINDS, 'kind')}
            value={now.kind}
            onChange={(kind) => kind !== null && put({ kind })}
            error={fault('kind')}
          />
          <DatePicker
            label={t('privacy:requests.received')}
            required
            maxDate={fmt.today()}
            value={now.received_on}
            onChange={(day) => day !== null && put({ received_on: day })}
            error={fault('received_on')}
          />
        </div>
        <RecordSelect
          label={t('privacy:requests.who')}
          object="customer"
          value={person}
          onChange={(value) => {
            const ref = value as Ref | null;
            setPerson(ref);
            put({ record: ref?.id ?? '' });
          }}
        />
        {person !== null && (
          <Link to="/o/$object/$id" params={{ object: person.object ?? 'customer', id: person.id }} search={{}}>
            {t('privacy:requests.go')}
          </Link>
        )}
        <div className={css.pair}>
          <Select
            label={t('privacy:requests.channel')}
            clearable
            options={options(REQUEST_CHANNELS, 'channel')}
            value={now.channel || null}
            onChange={(channel) => put({ channel: channel ?? '' })}
          />
          <Select
            label={t('privacy:requests.verified')}
            clearable
            options={options(REQUEST_PROOFS, 'verified')}
            value={now.verified || null}
            onChange={(verified) => put({ verified: verified ?? '' })}
            error={fault('verified')}
          />
          <Select
            label={t('privacy:requests.law')}
            options={options(LAWS, 'law')}
            value={now.law}
            onChange={(law) => law !== null && put({ law })}
          />
          <Select
            label={t('privacy:requests.assignee')}
            searchable
            clearable
            options={(users.data?.items ?? []).map((user) => ({ value: user.id, label: user.name || user.email }))}
            value={now.assignee || null}
            onChange={(assignee) => put({ assignee: assignee ?? '' })}
          />
        </div>
        <Checkbox
          label={t('privacy:requests.extended')}
          description={t(`privacy:requests.extendedHelp.${now.law}`)}
          checked={now.extended}
          onChange={(extended) => put({ extended })}
        />
        {request !== undefined && (
          <p className={css.note}>
            {t('privacy:requests.dueOn', { day: fmt.date(request.due_on) })}
            {request.proof !== '' && ` · ${t('privacy:requests.proof')} ${request.proof}`}
          </p>
        )}
        <div className={css.pair}>
          <Select
            label={t('privacy:erasures.state')}
            options={options(REQUEST_STATES, 'requestState')}
            value={now.state}
            onChange={(state) => state !== null && put({ state })}
          />
          <TextInput
            label={t('privacy:erase.reference')}
            value={now.reference}
            onChange={(reference) => put({ reference })}
            maxLength={100}
          />
        </div>
        <Textarea
          label={t('privacy:requests.outcome')}
          description={t('privacy:requests.outcomeHelp')}
          value={now.outcome}
          onChange={(outcome) => put({ outcome })}
          error={fault('outcome')}
        />
        {whole !== null && (
          <p className={css.bad} role="alert">
            {whole}
          </p>
        )}
      </div>
    </Modal>
  );
}
