import { useQuery } from '@tanstack/react-query';
import { errorText, type KeyKind, type KeyRotation, keysQuery, usePauseKeys, useRotateKeys } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useObject } from '@/metadata';
import { Button, confirm, Dot, ErrorState, Panel, Progress, SkeletonRows, Table, toast } from '@/ui';
import css from './privacy.module.css';

const MOVING = 1_000;

/** An exchange that is under way: how far it is, how fast, and stopping it. */
function Moving({ rotation }: { rotation: KeyRotation }) {
  const { t } = useTranslation(['privacy', 'common']);
  const fmt = useFormat();
  const pause = usePauseKeys();
  const label = useLabel();
  const object = useObject(rotation.object);
  const turn = async (on: boolean) => {
    try {
      await pause.mutateAsync({ id: rotation.id, on });
      toast.ok(t(on ? 'privacy:keys.paused' : 'privacy:keys.goesOn'));
    } catch (failed) {
      toast.error(t('common:failed.save'), { detail: errorText(failed) });
    }
  };
  const parts = [
    rotation.paused ? t('privacy:keys.state.paused') : t(`privacy:keys.phase.${rotation.phase || 'people'}`),
    ...(object === undefined ? [] : [label(object.plural, object.key)]),
    `${fmt.number(rotation.done)} / ${fmt.number(rotation.total)}`,
    ...(rotation.per_second > 0 ? [t('privacy:keys.rate', { count: rotation.per_second })] : []),
  ];
  return (
    <div aria-live="polite">
      <Progress
        value={rotation.total === 0 ? 0 : rotation.done / rotation.total}
        label={`${t(`privacy:keys.kinds.${rotation.kind}`)} \u00b7 ${t('privacy:keys.moving')}`}
      />
      <p className={css.note}>{parts.join(' \u00b7 ')}</p>
      {rotation.kind !== 'secret' && (
        <Button loading={pause.isPending} onClick={() => void turn(!rotation.paused)}>
          {t(rotation.paused ? 'privacy:keys.resume' : 'privacy:keys.pause')}
        </Button>
      )}
    </div>
  );
}

/** The secret that wraps every data key, the keys below it, and changing them while everybody works on. */
export function KeysPart() {
  const { t } = useTranslation(['privacy', 'common']);
  const fmt = useFormat();
  const rotate = useRotateKeys();
  const { data, error, isPending, refetch } = useQuery({
    ...keysQuery(),
    refetchInterval: ({ state }) => (state.data?.rotations.some((each) => each.state !== 'done') ? MOVING : false),
  });
  const begin = async (what: KeyKind) => {
    const own = what === 'secret' ? 'rotate' : what;
    const sure = await confirm({
      title: t(`privacy:keys.${own}`),
      text: t(`privacy:keys.${own}Help`),
      confirm: t(`privacy:keys.${own}`),
    });
    if (!sure) return;
    try {
      await rotate.mutateAsync(what);
      toast.ok(t('privacy:keys.begun'));
    } catch (failed) {
      toast.error(t('common:failed.save'), { detail: errorText(failed) });
    }
  };
  if (isPending) return <SkeletonRows rows={4} />;
  if (data === undefined) return <ErrorState compact error={error} onRetry={() => refetch()} />;
  const moving = data.rotations.find((each) => each.state !== 'done');
  const press = (what: KeyKind) => (
    <Button
      disabled={moving !== undefined}
      loading={rotate.isPending && rotate.variables === what}
      onClick={() => void begin(what)}
    >
      {t(what === 'secret' ? 'privacy:keys.rotate' : `privacy:keys.${what}`)}
    </Button>
  );
  const stateOf = (each: KeyRotation) => {
    if (each.state === 'done') return { color: 'green', word: 'done' } as const;
    return each.paused ? ({ color: 'gray', word: 'paused' } as const) : ({ color: 'blue', word: each.state } as const);
  };
  return (
    <div className={css.stack}>
      {moving !== undefined && (
        <Panel title={t('privacy:keys.moving')}>
          <div className={css.form}>
            <Moving rotation={moving} />
          </div>
        </Panel>
      )}
      <Panel title={t('privacy:keys.title')}>
        <div className={css.form}>
          <p className={css.note}>{t('privacy:keys.about')}</p>
          <p className={css.note}>
            {t('privacy:keys.secrets', { count: data.secrets })}{' '}
            {t(data.file ? 'privacy:keys.file' : 'privacy:keys.settings')}
          </p>
          <div>{press('secret')}</div>
        </div>
      </Panel>
      <Panel title={t('privacy:keys.below')}>
        <div className={css.form}>
          <p className={css.note}>{t('privacy:keys.belowAbout')}</p>
          <p className={css.note}>{t('privacy:keys.dataHelp')}</p>
          <div>{press('data')}</div>
          <p className={css.note}>{t('privacy:keys.indexHelp')}</p>
          <div>{press('index')}</div>
        </div>
      </Panel>
      {data.rotations.length > 0 && (
        <Panel flush title={t('privacy:keys.past')}>
          <Table<KeyRotation>
            label={t('privacy:keys.past')}
            rows={data.rotations}
            rowKey={(each) => each.id}
            columns={[
              { key: 'at', label: t('privacy:erasures.at'), cell: (each) => fmt.datetime(each.at) },
              { key: 'kind', label: t('privacy:keys.kind'), cell: (each) => t(`privacy:keys.kinds.${each.kind}`) },
              {
                key: 'state',
                label: t('privacy:erasures.state'),
                cell: (each) => <Dot color={stateOf(each).color}>{t(`privacy:keys.state.${stateOf(each).word}`)}</Dot>,
              },
              {
                key: 'done',
                label: t('privacy:keys.values'),
                align: 'right',
                cell: (each) => fmt.number(each.kind === 'secret' ? each.done : each.changed),
              },
            ]}
          />
        </Panel>
      )}
    </div>
  );
}
