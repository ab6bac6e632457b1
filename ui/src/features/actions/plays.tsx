import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { playsQuery } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { PlaySwitch } from '@/records/actions/stage-plays';
import { encodeCondition } from '@/records/conditions';
import { ErrorState, Panel, Pill, SkeletonRows, Table, Tooltip } from '@/ui';
import css from './actions.module.css';
import { PlayDrawer } from './play-drawer';
import { Verdict } from './result';

/** All plays with how many fit, what is expected, what was done and what came of it. */
export function PlayTable({ open, onOpen }: { open: string; onOpen: (play: string) => void }) {
  const { t } = useTranslation('actions');
  const fmt = useFormat();
  const label = useLabel();
  const { data, error, refetch } = useQuery(playsQuery());
  if (data === undefined)
    return error === null ? <SkeletonRows rows={8} /> : <ErrorState error={error} onRetry={() => refetch()} />;
  const shown = data.items.find((play) => play.key === open);
  const term = (key: 'eligible' | 'offered' | 'taken' | 'result', name: string) => (
    <Tooltip label={t(`actions:means.${key}`)}>
      <span>{name}</span>
    </Tooltip>
  );
  const waiting = data.items.some((play) => play.on && play.found === null);
  return (
    <Panel flush title={t('actions:tabs.plays')} aside={waiting ? t('actions:soon') : undefined}>
      <Table
        label={t('actions:tabs.plays')}
        rows={data.items}
        rowKey={(play) => play.key}
        columns={[
          {
            key: 'play',
            label: t('actions:column.play'),
            cell: (play) => (
              <>
                <button type="button" className={css.plain} onClick={() => onOpen(play.key)}>
                  {label(play.label, play.key)}
                </button>
                <div className="muted">{label(play.sentence)}</div>
                {play.on && play.found?.broken === true && <Pill color="red">{t('actions:broken')}</Pill>}
                {play.found?.eligible === 0 && !play.found.broken && play.reach.length > 0 && (
                  <Pill color="amber">{t('actions:needsConsent')}</Pill>
                )}
              </>
            ),
          },
          {
            key: 'eligible',
            align: 'right',
            label: term('eligible', t('actions:column.eligible')),
            cell: (play) =>
              play.found === null ? (
                '\u2013'
              ) : (
                <Link
                  to="/o/$object"
                  params={{ object: 'customer' }}
                  search={{ where: encodeCondition(play.eligible) }}
                >
                  {fmt.number(play.found.eligible)}
                </Link>
              ),
          },
          {
            key: 'offered',
            align: 'right',
            minor: true,
            label: term('offered', t('actions:column.offered')),
            cell: (play) =>
              play.found === null ? (
                '\u2013'
              ) : (
                <Link to="/actions" search={{ play: play.key }}>
                  {fmt.number(play.found.offered)}
                </Link>
              ),
          },
          {
            key: 'total',
            align: 'right',
            minor: true,
            label: t('actions:column.total'),
            cell: (play) => (play.found === null ? '\u2013' : fmt.money(play.found.gain, { compact: true })),
          },
          {
            key: 'taken',
            align: 'right',
            minor: true,
            label: term('taken', t('actions:column.taken')),
            cell: (play) => fmt.number(play.picked.taken),
          },
          {
            key: 'dismissed',
            align: 'right',
            minor: true,
            label: t('actions:column.dismissed'),
            cell: (play) => fmt.number(play.picked.dismissed),
          },
          {
            key: 'result',
            minor: true,
            label: term('result', t('actions:column.result')),
            cell: (play) => <Verdict play={play} />,
          },
          { key: 'on', label: t('actions:column.state'), align: 'right', cell: (play) => <PlaySwitch play={play} /> },
        ]}
      />
      {shown !== undefined && <PlayDrawer key={shown.key} play={shown} onClose={() => onOpen('')} />}
    </Panel>
  );
}
