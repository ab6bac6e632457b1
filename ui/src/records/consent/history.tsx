import type { ConsentEntry, CustomerConsents } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { EmptyState, Pill } from '@/ui';
import css from './consent.module.css';

const COLORS: Record<ConsentEntry['state'], string> = {
  given: 'green',
  pending: 'yellow',
  expired: 'orange',
  withdrawn: 'red',
};

/** The ledger of a customer, newest first. */
export function History({ pages }: { pages: readonly CustomerConsents[] }) {
  const { t } = useTranslation('consent');
  const first = pages[0];
  const entries = pages.flatMap((page) => page.history);
  if (first === undefined || entries.length === 0)
    return <EmptyState cause="none" title={t('consent:noHistory')} text={t('consent:noHistoryText')} compact />;
  return (
    <section>
      <h2 className={css.heading}>{t('consent:history')}</h2>
      <ol className={css.log}>
        {entries.map((entry) => (
          <Line key={entry.id} entry={entry} policy={first.policy} />
        ))}
      </ol>
    </section>
  );
}

function Line({ entry, policy }: { entry: ConsentEntry; policy: CustomerConsents['policy'] }) {
  const { t } = useTranslation('consent');
  const fmt = useFormat();
  const label = useLabel();
  const purpose = policy.purposes.find((each) => each.key === entry.purpose);
  const wording = policy.wordings.find((each) => each.purpose === entry.purpose && each.number === entry.wording);
  const by = entry.actor.kind === 'user' || entry.actor.kind === 'apikey' ? entry.actor.name : '';
  return (
    <li className={css.entry}>
      <div className={css.line}>
        <Pill color={COLORS[entry.state]}>{t(`consent:state.${entry.state}`)}</Pill>
        <span>
          {label(purpose?.label, entry.purpose)} {'\u00b7'} {t(`consent:channel.${entry.channel}`)}
        </span>
        <span className={css.small}>
          {[
            fmt.datetime(entry.at),
            t(`consent:source.${entry.source}`),
            entry.verdict !== '' && t(`consent:verdict.${entry.verdict}`),
            by,
            entry.guardian && t('consent:guardian'),
            entry.visitor && t('consent:visitor'),
            entry.expires_at !== null && t('consent:until', { when: fmt.date(entry.expires_at) }),
          ]
            .filter(Boolean)
            .join(' \u00b7 ')}
        </span>
      </div>
      {entry.note !== '' && <p className={css.note}>{entry.note}</p>}
      {entry.page !== '' && <span className={css.small}>{entry.page}</span>}
      {entry.evidence !== '' && (
        <span className={`${css.small} ${css.hash}`}>
          {t('consent:evidence')}: {entry.evidence}
        </span>
      )}
      {wording !== undefined && (
        <details className={css.small}>
          <summary>{t('consent:wordingShown', { number: wording.number })}</summary>
          <p className={css.words}>{label(wording.text)}</p>
        </details>
      )}
    </li>
  );
}
