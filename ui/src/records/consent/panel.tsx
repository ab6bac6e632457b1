import { IconLink, IconPlus } from '@tabler/icons-react';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import {
  type ConsentPurpose,
  type ConsentState,
  type CustomerConsents,
  consentLink,
  customerConsentsQuery,
  errorText,
  type RecordData,
  recordConsents,
  useUpdateRecord,
} from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, ErrorState, Pill, SkeletonRows, Switch, toast } from '@/ui';
import { Claims } from './claims';
import css from './consent.module.css';
import { History } from './history';
import { RecordDialog } from './record-dialog';

export const STATE_COLORS: Record<string, string> = {
  given: 'green',
  pending: 'yellow',
  expired: 'orange',
  withdrawn: 'red',
};

/** What a customer agreed to and refused, with the proof; and the ways to record more of it. */
export function ConsentPanel({ record }: { record: RecordData }) {
  const { t } = useTranslation(['consent', 'common']);
  const can = useCan();
  const client = useQueryClient();
  const answer = useInfiniteQuery(customerConsentsQuery(record.id));
  const [recording, setRecording] = useState(false);
  const [busy, setBusy] = useState(false);
  const update = useUpdateRecord('customer');
  if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} />;
  const data = answer.data?.pages[0];
  if (data === undefined) return <SkeletonRows rows={6} />;
  const may = can('consent.write') && record.deleted_at === null;
  const refresh = () => client.invalidateQueries({ queryKey: ['privacy', 'consents'] });
  const copy = async () => {
    try {
      const { url } = await consentLink(record.id);
      await navigator.clipboard.writeText(new URL(url, location.origin).href);
      toast.ok(t('consent:linkCopied'));
    } catch (error) {
      toast.error(t('common:failed.title'), { detail: errorText(error) });
    }
  };
  const setPersonal = async (on: boolean) => {
    setBusy(true);
    try {
      await recordConsents(record.id, [
        { purpose: 'personalisation', channel: 'any', state: on ? 'given' : 'withdrawn', source: 'agent' },
      ]);
      await refresh();
      toast.ok(t('consent:recorded'));
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    } finally {
      setBusy(false);
    }
  };
  const setQuiet = async (on: boolean) => {
    try {
      await update.mutateAsync({ id: record.id, version: record.version, fields: { do_not_contact: on } });
      await refresh();
      await client.invalidateQueries({ queryKey: ['customers', record.id, 'profile'] });
      toast.ok(t('consent:recorded'));
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    }
  };
  const personal = data.states.find((state) => state.purpose === 'personalisation' && state.channel === 'any');
  return (
    <div className={css.panel}>
      <div className={css.bar}>
        <p className="muted">{t('consent:lead')}</p>
        <span className={css.grow} />
        {may && (
          <>
            <Button icon={<IconLink size={16} />} onClick={() => void copy()}>
              {t('consent:link')}
            </Button>
            <Button kind="primary" icon={<IconPlus size={16} />} onClick={() => setRecording(true)}>
              {t('consent:record')}
            </Button>
          </>
        )}
      </div>
      {data.left !== '' && <p className={css.notice}>{t(`consent:left.${data.left}`)}</p>}
      {data.minor && <p className={css.notice}>{t('consent:minor')}</p>}
      <div className={css.switches}>
        {personal !== undefined && (
          <Switch
            label={t('consent:personal')}
            description={t('consent:personalText')}
            checked={personal.allowed}
            disabled={!may || busy || data.left === 'restricted'}
            onChange={(on) => void setPersonal(on)}
          />
        )}
        {typeof record.fields.do_not_contact === 'boolean' && (
          <Switch
            label={t('consent:quiet')}
            description={t('consent:quietText')}
            checked={record.fields.do_not_contact}
            disabled={!may || update.isPending}
            onChange={(on) => void setQuiet(on)}
          />
        )}
      </div>
      <Claims customer={record.id} data={data} may={may} />
      <States data={data} />
      <History pages={answer.data?.pages ?? []} />
      {answer.hasNextPage && (
        <Button loading={answer.isFetchingNextPage} onClick={() => void answer.fetchNextPage()}>
          {t('consent:older')}
        </Button>
      )}
      {may && (
        <RecordDialog
          customer={record.id}
          policy={data.policy}
          opened={recording}
          onClose={() => setRecording(false)}
          onDone={(unsent) => {
            setRecording(false);
            void refresh();
            if (unsent) toast.error(t('consent:unsent'));
            else toast.ok(t('consent:recorded'));
          }}
        />
      )}
    </div>
  );
}

function States({ data }: { data: CustomerConsents }) {
  const label = useLabel();
  const spoken = (purpose: ConsentPurpose) =>
    data.states.some((state) => state.purpose === purpose.key && state.state !== '');
  return (
    <ul className={css.purposes}>
      {data.policy.purposes
        .filter((purpose) => !purpose.retired || spoken(purpose))
        .map((purpose) => (
          <li key={purpose.key} className={css.purpose}>
            <div className={css.head}>
              <h3>{label(purpose.label, purpose.key)}</h3>
              <span className={css.small}>{label(purpose.description)}</span>
            </div>
            <ul className={css.places}>
              {data.states
                .filter((state) => state.purpose === purpose.key)
                .map((state) => (
                  <Place key={state.channel} state={state} />
                ))}
            </ul>
          </li>
        ))}
    </ul>
  );
}

function Place({ state }: { state: ConsentState }) {
  const { t } = useTranslation('consent');
  const fmt = useFormat();
  return (
    <li className={css.place} data-place={`${state.purpose}.${state.channel}`}>
      <span className={css.channel}>{t(`consent:channel.${state.channel}`)}</span>
      <Pill color={STATE_COLORS[state.state] ?? 'gray'}>{t(`consent:state.${state.state || 'none'}`)}</Pill>
      <span className={css.small}>
        {state.at !== null && fmt.date(state.at)}
        {state.state === 'given' &&
          state.expires_at !== null &&
          ` \u00b7 ${t('consent:until', { when: fmt.date(state.expires_at) })}`}
        {state.at !== null && ' \u00b7 '}
        {t(`consent:why.${state.why}`)}
      </span>
    </li>
  );
}
