import { IconFilter } from '@tabler/icons-react';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import {
  errorText,
  saveWebSegment,
  segmentsQuery,
  type WebAsk,
  type WebBehind,
  type WebVisitor,
  webPeopleQuery,
} from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, Drawer, EmptyState, ErrorState, Modal, SegmentedControl, SkeletonRows, TextInput, toast } from '@/ui';
import { useWeb, type Who } from './search';
import css from './web.module.css';
import { useNumbers, useValueName } from './words';

function useTitle(who: Who): string {
  const { t } = useTranslation('web');
  const { behind } = who;
  const only = behind.only ?? 'all';
  const key = behind.figure === 'visits' ? `visits.${only}` : behind.figure;
  return t(`web:who.${key}`, {
    page: behind.path ?? '',
    event: behind.event ?? '',
    step: behind.step ?? 0,
    context: behind.lost === true ? 'lost' : undefined,
    from: behind.from || t('web:unknown'),
    to: behind.ended === true ? t('web:ended') : behind.to || t('web:unknown'),
    cohort: behind.cohort ?? '',
  });
}

function Unknown({ visitor }: { visitor: WebVisitor }) {
  const { t } = useTranslation('web');
  const fmt = useFormat();
  const name = useValueName();
  const facts = [
    name('channel', visitor.channel),
    name('device', visitor.device),
    ...(visitor.region === '' && visitor.country === ''
      ? []
      : [visitor.region === '' ? name('country', visitor.country) : name('region', visitor.region)]),
  ];
  return (
    <li className={css.person}>
      <span>{t('web:visitorNo', { number: visitor.id.slice(-6).toUpperCase() })}</span>
      <span className="muted">
        {t('web:visitorVisits', { count: visitor.visits, shown: fmt.number(visitor.visits) })}
        {visitor.last_at !== null && ` \u00b7 ${t('web:lastSeen', { when: fmt.datetime(visitor.last_at) })}`}
        {` \u00b7 ${facts.join(' \u00b7 ')}`}
      </span>
    </li>
  );
}

interface SaveProps {
  ask: WebAsk;
  behind: WebBehind;
  title: string;
  onClose: () => void;
}
/** Keeps the customers of a figure as a list of its own. */
function SaveDialog({ ask, behind, title, onClose }: SaveProps) {
  const { t } = useTranslation(['web', 'common']);
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState(title);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const save = async () => {
    setBusy(true);
    try {
      const made = await saveWebSegment(ask, behind, name);
      await client.invalidateQueries(segmentsQuery());
      onClose();
      toast.ok(t('web:segmentSaved', { name: made.label }), {
        action: {
          label: t('web:openSegment'),
          run: () => navigate({ to: '/segments/$key', params: { key: made.key } }),
        },
      });
    } catch (error) {
      setProblem(errorText(error));
      setBusy(false);
    }
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('web:saveSegment')}
      footer={
        <>
          <Button onClick={onClose}>{t('common:cancel')}</Button>
          <Button kind="primary" loading={busy} disabled={name.trim() === ''} onClick={save}>
            {t('common:save')}
          </Button>
        </>
      }
    >
      <TextInput
        label={t('web:segmentName')}
        description={t('web:segmentNote')}
        value={name}
        onChange={setName}
        maxLength={100}
        autoFocus
        error={problem}
        onEnter={() => name.trim() !== '' && save()}
      />
    </Modal>
  );
}

/** The people behind a figure: customers the reader may see, and visitors whom nobody knows. */
export function People({ who }: { who: Who }) {
  const { t } = useTranslation(['web', 'common']);
  const { number } = useNumbers();
  const { ask, go } = useWeb();
  const title = useTitle(who);
  const can = useCan();
  const [saving, setSaving] = useState(false);
  const [anonymous, setAnonymous] = useState(false);
  const narrow: WebAsk = {
    from: who.from ?? ask.from,
    to: who.to ?? ask.to,
    filter: who.filter ?? ask.filter,
    goal: who.goal ?? ask.goal,
  };
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery(
    webPeopleQuery(narrow, who.behind, anonymous),
  );
  const first = data?.pages[0];
  const customers = data?.pages.flatMap((page) => page.items) ?? [];
  const visitors = data?.pages.flatMap((page) => page.visitors) ?? [];
  const empty = data !== undefined && customers.length === 0 && visitors.length === 0;
  return (
    <Drawer opened onClose={() => go({ who: undefined })} title={title} size={460}>
      <div className={css.people}>
        {first?.customers != null && (
          <p role="status">
            {t('web:peopleCount', { customers: number(first.customers), visitors: number(first.anonymous ?? 0) })}
          </p>
        )}
        <SegmentedControl
          label={t('web:whichPeople')}
          value={anonymous ? 'anonymous' : 'customers'}
          onChange={(next) => setAnonymous(next === 'anonymous')}
          options={[
            { value: 'customers', label: t('web:customers') },
            { value: 'anonymous', label: t('web:anonymous') },
          ]}
        />
        {!anonymous && customers.length > 0 && can('segment.write') && (
          <span>
            <Button icon={<IconFilter size={15} />} onClick={() => setSaving(true)}>
              {t('web:saveSegment')}
            </Button>
          </span>
        )}
        {data === undefined && error === null && <SkeletonRows rows={6} />}
        {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
        {first?.closed === true && <EmptyState compact cause="no_permission" text={t('web:closed')} />}
        {empty && first?.closed !== true && (
          <EmptyState compact cause="no_match" title={t('web:nobodyShown')} text={t('web:nobodyShownText')} />
        )}
        <ul className={css.list}>
          {customers.map((one) => (
            <li key={one.id} className={css.person}>
              <Link to="/o/$object/$id" params={{ object: 'customer', id: one.id }}>
                {one.title || one.id}
              </Link>
              <span className="muted">{one.subtitle}</span>
            </li>
          ))}
          {visitors.map((one) => (
            <Unknown key={one.id} visitor={one} />
          ))}
        </ul>
        {saving && <SaveDialog ask={narrow} behind={who.behind} title={title} onClose={() => setSaving(false)} />}
        {hasNextPage && (
          <Button loading={isFetchingNextPage} onClick={() => fetchNextPage()}>
            {t('web:morePeople')}
          </Button>
        )}
      </div>
    </Drawer>
  );
}
