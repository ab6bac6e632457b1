import type { Coupon } from '@/api';
import { errorText, useRevokeCoupon } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, confirm, Dot, Table, type TableColumn, toast } from '@/ui';
import css from './coupons.module.css';

const HUE = { issued: 'blue', reserved: 'amber', redeemed: 'green', revoked: 'gray' } as const;

interface Props {
  rows: readonly Coupon[];
  /** What stands between the code and its state: whose it is, or of which offer. */
  between: TableColumn<Coupon>;
}

/** Codes with their state; those that nobody uses can be taken back. */
export function Coupons({ rows, between }: Props) {
  const { t } = useTranslation('offers');
  const fmt = useFormat();
  const can = useCan();
  const revoke = useRevokeCoupon();
  const ask = async (one: Coupon) => {
    const yes = await confirm({
      title: t('offers:revoke.ask', { code: one.code }),
      text: t('offers:revoke.text'),
      confirm: t('offers:revoke.do'),
      danger: true,
    });
    if (!yes) return;
    revoke.mutate(one.id, {
      onSuccess: () => toast.ok(t('offers:revoke.done')),
      onError: (error) => toast.error(errorText(error)),
    });
  };
  return (
    <Table<Coupon>
      label={t('offers:codes')}
      rows={rows}
      rowKey={(row) => row.id}
      columns={[
        {
          key: 'code',
          label: t('offers:code.code'),
          cell: (row) => (
            <span className={css.code}>
              {row.code}
              {row.shared && <span className="muted"> {t('offers:code.shared')}</span>}
            </span>
          ),
        },
        between,
        {
          key: 'state',
          label: t('offers:status'),
          cell: (row) => <Dot color={HUE[row.state]}>{t(`offers:states.${row.state}`)}</Dot>,
        },
        { key: 'issued', label: t('offers:code.issued'), minor: true, cell: (row) => fmt.date(row.issued_at) },
        {
          key: 'until',
          label: t('offers:code.until'),
          minor: true,
          cell: (row) => (row.expires_at === null ? '' : fmt.datetime(row.expires_at)),
        },
        {
          key: 'act',
          label: '',
          align: 'right',
          cell: (row) =>
            row.state === 'issued' &&
            can('offer.write') && (
              <Button size="sm" kind="subtle" onClick={() => void ask(row)}>
                {t('offers:revoke.do')}
              </Button>
            ),
        },
      ]}
    />
  );
}
