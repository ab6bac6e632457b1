import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { type ConsentEntry, type ConsentPolicy, type CustomerConsents, decideConsents, errorText } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { Button, toast } from '@/ui';
import css from './consent.module.css';

/** Refusals that nobody proved to be the customer's: somebody who asked the customer says whether they are. */
export function Claims({ customer, data, may }: { customer: string; data: CustomerConsents; may: boolean }) {
  const { t } = useTranslation('consent');
  if (data.claims.length === 0) return null;
  return (
    <section className={css.notice} aria-label={t('consent:claims.title')}>
      <h2 className={css.heading}>{t('consent:claims.title')}</h2>
      <p className={css.small}>{t('consent:claims.text')}</p>
      <ul className={css.log}>
        {data.claims.map((entry) => (
          <Claim key={entry.id} customer={customer} entry={entry} policy={data.policy} may={may} />
        ))}
      </ul>
    </section>
  );
}

interface ClaimProps {
  customer: string;
  entry: ConsentEntry;
  policy: ConsentPolicy;
  may: boolean;
  /** Whom it is about, where that is not the page's customer. */
  who?: ReactNode;
}

/** One refusal, with the two answers to it. */
export function Claim({ customer, entry, policy, may, who }: ClaimProps) {
  const { t } = useTranslation(['consent', 'common']);
  const fmt = useFormat();
  const label = useLabel();
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const decide = async (accept: boolean) => {
    setBusy(true);
    try {
      await decideConsents(customer, [entry.id], accept);
      toast.ok(t(`consent:claims.${accept ? 'accepted' : 'dismissed'}`));
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: errorText(error) });
    } finally {
      setBusy(false);
      await client.invalidateQueries({ queryKey: ['privacy', 'consents'] });
    }
  };
  const purpose = policy.purposes.find((each) => each.key === entry.purpose);
  return (
    <li className={`${css.entry} ${css.claim}`}>
      <span className={css.facts}>
        <span className={css.line}>
          {who}
          <span>
            {label(purpose?.label, entry.purpose)} {'\u00b7'} {t(`consent:channel.${entry.channel}`)}
          </span>
        </span>
        <span className={css.small}>
          {[fmt.datetime(entry.at), t(`consent:source.${entry.source}`), entry.page].filter(Boolean).join(' \u00b7 ')}
        </span>
      </span>
      {may && (
        <span className={css.answers}>
          <Button disabled={busy} onClick={() => void decide(true)}>
            {t('consent:claims.accept')}
          </Button>
          <Button kind="subtle" disabled={busy} onClick={() => void decide(false)}>
            {t('consent:claims.dismiss')}
          </Button>
        </span>
      )}
    </li>
  );
}
