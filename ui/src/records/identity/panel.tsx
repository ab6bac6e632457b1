import { IconArrowBackUp, IconEye } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import {
  errorText,
  type Identifier,
  type Identities,
  type IdentityMerge,
  identitiesQuery,
  type RecordData,
  revealIdentifier,
  undoIdentityMerge,
} from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, ButtonLink, confirm, EmptyState, ErrorState, IconButton, Pill, SkeletonRows, toast } from '@/ui';
import { Graph } from './graph';
import css from './identity.module.css';
import { short, useNamespaceName } from './names';

/** Under which names a customer appears in events, and which profiles were joined to make the customer. */
export function IdentityPanel({ record }: { record: RecordData }) {
  const { t } = useTranslation('identities');
  const can = useCan();
  const answer = useQuery(identitiesQuery(record.id));
  if (answer.isError) return <ErrorState error={answer.error} onRetry={() => answer.refetch()} />;
  const data = answer.data;
  if (data === undefined) return <SkeletonRows rows={6} />;
  if (data.profiles.length === 0)
    return <EmptyState cause="none" title={t('identities:none')} text={t('identities:noneText')} compact />;
  return (
    <div className={css.panel}>
      {data.reviews > 0 && can('record.merge') && (
        <div className={css.notice}>
          <span>{t('identities:openReviews', { count: data.reviews })}</span>
          <ButtonLink to="/identities">{t('identities:toReviews')}</ButtonLink>
        </div>
      )}
      <Names data={data} />
      <section className={css.section}>
        <h2 className={css.heading}>{t('identities:graph')}</h2>
        <Graph data={data} />
      </section>
      <Log customer={record.id} merges={data.merges} />
    </div>
  );
}

function Names({ data }: { data: Identities }) {
  const { t } = useTranslation('identities');
  const nameOf = useNamespaceName();
  const groups = new Map<string, Identifier[]>();
  for (const one of data.profiles.flatMap((profile) => profile.identifiers))
    groups.set(one.namespace, [...(groups.get(one.namespace) ?? []), one]);
  if (groups.size === 0) return <p className="muted">{t('identities:forgotten')}</p>;
  return (
    <section className={css.section}>
      <h2 className={css.heading}>{t('identities:names')}</h2>
      <dl className={css.names}>
        {[...groups].map(([namespace, list]) => (
          <div key={namespace} className={css.group}>
            <dt>{nameOf(namespace)}</dt>
            {list
              .toSorted((left, right) => right.last_at.localeCompare(left.last_at))
              .map((one) => (
                <OneName key={one.id} identifier={one} />
              ))}
          </div>
        ))}
      </dl>
    </section>
  );
}

function OneName({ identifier }: { identifier: Identifier }) {
  const { t } = useTranslation(['identities', 'common']);
  const fmt = useFormat();
  const can = useCan();
  const [plain, setPlain] = useState<string | null>(null);
  const reveal = async () => {
    try {
      setPlain((await revealIdentifier(identifier.id)).text);
    } catch (error) {
      toast.error(t('common:failed.title'), { detail: errorText(error) });
    }
  };
  return (
    <dd className={css.name}>
      <span className={css.text}>{plain ?? identifier.text}</span>
      {identifier.personal && plain === null && can('personal.reveal') && (
        <IconButton label={t('identities:reveal')} icon={<IconEye size={14} />} onClick={() => void reveal()} />
      )}
      <span className={css.when}>
        {t('identities:seen', { first: fmt.date(identifier.first_at), last: fmt.relative(identifier.last_at) })}
      </span>
    </dd>
  );
}

function Log({ customer, merges }: { customer: string; merges: readonly IdentityMerge[] }) {
  const { t } = useTranslation('identities');
  if (merges.length === 0) return null;
  return (
    <section className={css.section}>
      <h2 className={css.heading}>{t('identities:log')}</h2>
      <ol className={css.log}>
        {merges.map((merge) => (
          <OneMerge key={merge.id} customer={customer} merge={merge} />
        ))}
      </ol>
    </section>
  );
}

function OneMerge({ customer, merge }: { customer: string; merge: IdentityMerge }) {
  const { t } = useTranslation(['identities', 'common']);
  const fmt = useFormat();
  const can = useCan();
  const client = useQueryClient();
  const nameOf = useNamespaceName();
  const [busy, setBusy] = useState(false);
  const undo = async () => {
    const yes = await confirm({
      title: t('identities:undoTitle'),
      text: t(merge.why === 'move' ? 'identities:undoMoveText' : 'identities:undoText'),
      confirm: t('identities:undo'),
    });
    if (!yes) return;
    setBusy(true);
    try {
      await undoIdentityMerge(merge.id);
      await client.invalidateQueries({ queryKey: ['identities'] });
      await client.invalidateQueries({ queryKey: ['customers', customer, 'profile'] });
      toast.ok(t('identities:undone'));
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    } finally {
      setBusy(false);
    }
  };
  return (
    <li className={css.entry}>
      <div className={css.what}>
        <span>
          {t(merge.why === 'move' ? 'identities:moved' : 'identities:joined', {
            loser: short(merge.loser),
            winner: short(merge.winner),
          })}
        </span>
        <span className={css.evidence}>
          {merge.evidence.map((one) => (
            <Pill key={`${one.namespace}/${one.text}`} color="gray">
              {nameOf(one.namespace)} {one.text}
            </Pill>
          ))}
        </span>
        <span className={css.when}>
          {t(`identities:why.${merge.why}`, { who: merge.by?.title ?? '' })}
          {' \u00b7 '}
          {fmt.datetime(merge.at)}
        </span>
      </div>
      {merge.undone_at !== null && (
        <Pill color="gray">{t('identities:wasUndone', { who: merge.undone_by?.title ?? '' })}</Pill>
      )}
      {merge.undone_at === null && can('record.merge') && (
        <Button kind="subtle" loading={busy} icon={<IconArrowBackUp size={15} />} onClick={() => void undo()}>
          {t('identities:undo')}
        </Button>
      )}
    </li>
  );
}
