import { useQuery } from '@tanstack/react-query';
import { segmentBinQuery, useTrashed } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Button, confirm, Drawer, EmptyState, ErrorState, SkeletonRows, toast } from '@/ui';
import parts from './parts.module.css';

/** Deleted segments, to be taken back or forgotten. */
export function BinDrawer({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(['segments', 'common']);
  const fmt = useFormat();
  const { data, error, isPending, refetch } = useQuery(segmentBinQuery());
  const change = useTrashed();
  const run = async (key: string, name: string, forGood: boolean) => {
    if (forGood) {
      const sure = await confirm({
        title: t('segments:bin.sure', { name }),
        text: t('segments:bin.sureText'),
        confirm: t('segments:bin.purge'),
        danger: true,
      });
      if (!sure) return;
    }
    change.mutate(
      { key, forGood },
      {
        onSuccess: () => toast.ok(t(forGood ? 'segments:bin.purged' : 'segments:bin.restored', { name })),
        onError: (failed) => toast.error(failed.message),
      },
    );
  };
  return (
    <Drawer opened onClose={onClose} title={t('segments:bin.title')}>
      {isPending && <SkeletonRows rows={4} />}
      {error !== null && data === undefined && <ErrorState compact error={error} onRetry={() => refetch()} />}
      {data?.items.length === 0 && (
        <EmptyState
          compact
          cause="none"
          title={t('segments:bin.empty')}
          text={t('segments:bin.help', { count: data.days })}
        />
      )}
      {data !== undefined && data.items.length > 0 && (
        <>
          <p className="muted">{t('segments:bin.help', { count: data.days })}</p>
          <ul className={parts.binList}>
            {data.items.map((segment) => (
              <li key={segment.key}>
                <span className={parts.moveText}>
                  <span className="truncate">{segment.label}</span>
                  <span className={parts.moveWhy}>
                    {t('segments:bin.deletedAt', { when: fmt.relative(segment.deleted_at) })}
                  </span>
                </span>
                <Button onClick={() => run(segment.key, segment.label, false)}>{t('segments:bin.restore')}</Button>
                <Button kind="subtle" onClick={() => run(segment.key, segment.label, true)}>
                  {t('segments:bin.purge')}
                </Button>
              </li>
            ))}
          </ul>
        </>
      )}
    </Drawer>
  );
}
