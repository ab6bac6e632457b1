import { useQuery } from '@tanstack/react-query';
import { myAddressQuery, useProveAddress } from '@/api';
import { useTranslation } from '@/i18n';
import { Button, Panel, Pill, toast } from '@/ui';
import css from './settings.module.css';

/** Whether the person's address is proved; a mail with a link proves it. */
export function AddressPanel() {
  const { t } = useTranslation('links');
  const { data } = useQuery(myAddressQuery());
  const ask = useProveAddress();
  if (data === undefined || (data.verified_at === null && !data.reachable)) return null;
  return (
    <Panel title={t('links:address.title')}>
      <div className={css.setting}>
        <span>
          {data.email}{' '}
          <Pill color={data.verified_at === null ? 'gray' : 'green'}>
            {data.verified_at === null ? t('links:address.no') : t('links:address.yes')}
          </Pill>
        </span>
        {data.verified_at === null && (
          <Button
            loading={ask.isPending}
            disabled={ask.isSuccess}
            onClick={() =>
              ask.mutate(undefined, {
                onSuccess: () => toast.ok(t('links:address.sent')),
                onError: (error) => toast.error(error.message),
              })
            }
          >
            {t('links:address.ask')}
          </Button>
        )}
      </div>
    </Panel>
  );
}
