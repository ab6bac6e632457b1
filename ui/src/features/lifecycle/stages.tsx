import { Link } from '@tanstack/react-router';
import type { LifecycleReport, LifecycleStage } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { encodeCondition } from '@/records/conditions';
import { Panel, Table, Tooltip } from '@/ui';
import { Swatch } from '@/ui/chart';
import { totalOf, useDays } from './ask';
import css from './lifecycle.module.css';
import type { Who } from './people';

interface Props {
  report: LifecycleReport;
  open: (who: Who) => void;
}

/** One line for each stage; each figure opens its people. */
export function Stages({ report, open }: Props) {
  const { t } = useTranslation('lifecycle');
  const fmt = useFormat();
  const label = useLabel();
  const days = useDays();
  const all = totalOf(report.stages);
  const name = (stage: LifecycleStage) => label(stage.label, stage.key);
  const moves = (stage: LifecycleStage, way: 'entered' | 'left') =>
    stage[way] === 0 ? (
      '0'
    ) : (
      <button
        type="button"
        className={css.link}
        onClick={() =>
          open({
            title: t(`lifecycle:who.${way}`, { stage: name(stage) }),
            behind: {
              figure: 'move',
              begin: report.from ?? '',
              end: report.to ?? '',
              ...(way === 'entered' ? { to: stage.key } : { from: stage.key }),
            },
          })
        }
      >
        {fmt.number(stage[way])}
      </button>
    );
  const head = (key: string) => (
    <Tooltip label={t(`lifecycle:means.${key}`)}>
      <span>{t(`lifecycle:column.${key}`)}</span>
    </Tooltip>
  );
  const change = (stage: LifecycleStage) => {
    const more = stage.now - stage.before;
    return more > 0 ? `+${fmt.number(more)}` : fmt.number(more);
  };
  return (
    <Panel flush title={t('lifecycle:stages')}>
      <Table
        label={t('lifecycle:stages')}
        rows={report.stages}
        rowKey={(stage) => stage.key}
        columns={[
          {
            key: 'stage',
            label: t('lifecycle:stage'),
            cell: (stage) => (
              <Swatch color={stage.color}>
                <Link to="/lifecycle/$stage" params={{ stage: stage.key }}>
                  {name(stage)}
                </Link>
              </Swatch>
            ),
          },
          {
            key: 'now',
            label: head('now'),
            align: 'right',
            cell: (stage) => (
              <Link
                to="/o/$object"
                params={{ object: 'customer' }}
                search={{
                  where: encodeCondition({ trait: report.classification, op: '=', value: stage.key }),
                }}
              >
                {fmt.number(stage.now)}
              </Link>
            ),
          },
          { key: 'share', label: head('share'), align: 'right', cell: (stage) => fmt.percent(stage.now / all) },
          { key: 'change', label: head('change'), align: 'right', minor: true, cell: change },
          {
            key: 'entered',
            label: head('entered'),
            align: 'right',
            minor: true,
            cell: (stage) => moves(stage, 'entered'),
          },
          { key: 'left', label: head('left'), align: 'right', minor: true, cell: (stage) => moves(stage, 'left') },
          { key: 'median', label: head('median'), align: 'right', cell: (stage) => days(stage.median) },
          {
            key: 'onwards',
            label: head('onwards'),
            align: 'right',
            minor: true,
            cell: (stage) => (stage.left === 0 ? '\u2013' : fmt.percent(stage.onwards / stage.left)),
          },
          {
            key: 'lost',
            label: head('lost'),
            align: 'right',
            minor: true,
            cell: (stage) => (stage.left === 0 ? '\u2013' : fmt.percent(stage.lost / stage.left)),
          },
        ]}
      />
    </Panel>
  );
}
