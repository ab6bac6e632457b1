import type { CustomerProfile } from '@/api';
import { useTranslation } from '@/i18n';
import { Pill } from '@/ui';

/** Where a customer stands, in short: whether marketing may reach the person, and whether the person refused to be analysed. */
export function ConsentPills({ consent }: { consent: NonNullable<CustomerProfile['consent']> }) {
  const { t } = useTranslation('customers');
  const { states, left, minor } = consent;
  const marketing = states.filter((state) => state.purpose === 'marketing');
  const reached = marketing.some((state) => state.allowed);
  const unanalysed = states.some((state) => state.purpose === 'analytics' && state.state === 'withdrawn');
  return (
    <>
      {left !== '' && <Pill color="red">{t(`customers:head.${left}`)}</Pill>}
      {left === '' && marketing.length > 0 && (
        <Pill color={reached ? 'green' : 'gray'}>
          {t(reached ? 'customers:head.marketing' : 'customers:head.noMarketing')}
        </Pill>
      )}
      {unanalysed && <Pill color="orange">{t('customers:head.unanalysed')}</Pill>}
      {minor && <Pill color="orange">{t('customers:head.minor')}</Pill>}
    </>
  );
}
