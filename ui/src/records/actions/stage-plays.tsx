import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { errorText, type Play, playsQuery, useSavePlay } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { ButtonLink, Panel, Switch, Table, toast } from '@/ui';

/** Switches a play on and off. */
export function PlaySwitch({ play }: { play: Play }) {
  const { t } = useTranslation(['actions', 'next']);
  const label = useLabel();
  const can = useCan();
  const save = useSavePlay();
  return (
    <Switch
      checked={play.on}
      disabled={!can('classification.write') || save.isPending}
      aria-label={t('actions:onOf', { name: label(play.label, play.key) })}
      onChange={(on) =>
        save.mutate(
          { key: play.key, draft: { ...play, on } },
          { onError: (error) => toast.error(t('next:done.failed'), { detail: errorText(error) }) },
        )
      }
    />
  );
}

/** The plays that are for a stage of the lifecycle. */
export function StagePlays({ stage }: { stage: string }) {
  const { t } = useTranslation(['actions', 'next']);
  const fmt = useFormat();
  const label = useLabel();
  const { data } = useQuery(playsQuery());
  if (data === undefined) return null;
  const plays = data.items.filter((play) => play.stages.includes(stage));
  return (
    <Panel
      flush
      title={t('actions:stagePlays.title')}
      aside={
        <ButtonLink kind="subtle" to="/actions" search={{ tab: 'plays' }}>
          {t('actions:stagePlays.all')}
        </ButtonLink>
      }
    >
      <Table
        label={t('actions:stagePlays.title')}
        rows={plays}
        rowKey={(play) => play.key}
        empty={<p className="muted">{t('actions:stagePlays.none')}</p>}
        columns={[
          {
            key: 'play',
            label: t('actions:column.play'),
            cell: (play) => (
              <>
                <Link to="/actions" search={{ tab: 'plays', play: play.key }}>
                  {label(play.label, play.key)}
                </Link>
                <div className="muted">{label(play.what)}</div>
              </>
            ),
          },
          {
            key: 'eligible',
            label: t('actions:column.eligible'),
            align: 'right',
            cell: (play) => (play.found === null ? '\u2013' : fmt.number(play.found.eligible)),
          },
          {
            key: 'taken',
            label: t('actions:column.taken'),
            align: 'right',
            minor: true,
            cell: (play) => fmt.number(play.picked.taken),
          },
          { key: 'on', label: t('actions:column.state'), align: 'right', cell: (play) => <PlaySwitch play={play} /> },
        ]}
      />
    </Panel>
  );
}
