import { useQuery } from '@tanstack/react-query';
import { errorText, type KeyRotation, keysQuery, useRotateKeys } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Button, confirm, Dot, ErrorState, Panel, Progress, SkeletonRows, Table, toast } from '@/ui';
import css from './privacy.module.css';

const MOVING = 1_000;

/** The secret that wraps every data key, and changing it while everybody works on. */
export function KeysPart() {
  const { t } = useTranslation(['privacy', 'common']);
  const fmt = useFormat();
  const rotate = useRotateKeys();
  const { data, error, isPending, refetch } = useQuery({
    ...keysQuery(),
    refetchInterval: ({ state }) => (state.data?.rotations.some((each) => each.state !== 'done') ? MOVING : false),
  });
  const begin = async () => {
    const sure = await confirm({
      title: t('privacy:keys.rotate'),
      text: t('privacy:keys.rotateHelp'),
      confirm: t('privacy:keys.rotate'),
    });
    if (!sure) return;
    try {
      await rotate.mutateAsync(undefined);
      toast.ok(t('privacy:keys.begun'));
    } catch (failed) {
      toast.error(t('common:failed.save'), { detail: errorText(failed) });
    }
  };
  if (isPending) return <SkeletonRows rows={4} />;
  if (data === undefined) return <ErrorState compact error={error} onRetry={() => refetch()} />;
  const moving = data.rotations.find((each) => each.state !== 'done');
  return (
    <div className={css.stack}>
      <Panel title={t('privacy:keys.title')}>
        <div className={css.form}>
          <p className={css.note}>{t('privacy:keys.about')}</p>
          <p className={css.note}>
            {t('privacy:keys.secrets', { count: data.secrets })}{' '}
            {t(data.file ? 'privacy:keys.file' : 'privacy:keys.settings')}
          </p>
          {moving !== undefined && (
            <div aria-live="polite">
              <Progress value={moving.total === 0 ? 0 : moving.done / moving.total} label={t('privacy:keys.moving')} />
              <p className={css.note}>
                {t(`privacy:keys.phase.${moving.phase || 'people'}`)} · {fmt.number(moving.done)} /{' '}
                {fmt.number(moving.total)}
              </p>
            </div>
          )}
          <div>
            <Button disabled={moving !== undefined} loading={rotate.isPending} onClick={() => void begin()}>
              {t('privacy:keys.rotate')}
            </Button>
          </div>
        </div>
      </Panel>
      {data.rotations.length > 0 && (
        <Panel flush title={t('privacy:keys.past')}>
          <Table<KeyRotation>
            label={t('privacy:keys.past')}
            rows={data.rotations}
            rowKey={(each) => each.at}
            columns={[
              { key: 'at', label: t('privacy:erasures.at'), cell: (each) => fmt.datetime(each.at) },
              {
                key: 'state',
                label: t('privacy:erasures.state'),
                cell: (each) => (
                  <Dot color={each.state === 'done' ? 'green' : 'blue'}>{t(`privacy:keys.state.${each.state}`)}</Dot>
                ),
              },
              { key: 'done', label: t('privacy:keys.count'), align: 'right', cell: (each) => fmt.number(each.done) },
            ]}
          />
        </Panel>
      )}
    </div>
  );
}
