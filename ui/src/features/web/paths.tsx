import { IconChartSankey, IconDownload, IconTable } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type CSSProperties, useState } from 'react';
import { type WebLink, type WebNode, type WebPaths, webPathsQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { saveCsv } from '@/lib/csv';
import { EmptyState, ErrorState, IconButton, NumberInput, Panel, SegmentedControl, Skeleton, Table } from '@/ui';
import { hueFill } from '@/ui/chart';
import { Behind } from './figure-table';
import { useNames } from './funnel-form';
import { NameSelect } from './name-select';
import { type SankeyNode, sankey } from './sankey';
import { useWeb } from './search';
import css from './web.module.css';
import { useNumbers } from './words';

const START: WebPaths = { nodes: 'pages', node: '', backward: false, depth: 4, top: 7 };
const HUES = ['teal', 'blue', 'amber', 'violet', 'red', 'green', 'orange'];
const WIDTH = 960;
const NAME_ROOM = 150;

const within = (value: number | undefined, low: number, high: number, other: number): number =>
  value === undefined || !Number.isFinite(value) ? other : Math.max(low, Math.min(high, Math.round(value)));
const clean = (raw: WebPaths | undefined): WebPaths => ({
  nodes: raw?.nodes === 'events' || raw?.nodes === 'both' ? raw.nodes : START.nodes,
  node: typeof raw?.node === 'string' ? raw.node : '',
  backward: raw?.backward === true,
  depth: within(raw?.depth, 3, 6, START.depth),
  top: within(raw?.top, 1, 20, START.top),
});

function useNodeName(backward: boolean): (node: WebNode | null) => string {
  const { t } = useTranslation('web');
  return (node) => {
    if (node === null) return backward ? t('web:began') : t('web:ended');
    if (node.rest === true) return t('web:others');
    return node.name === '' ? t('web:unknown') : node.name;
  };
}

function Flow({ links, paths, open }: { links: readonly WebLink[]; paths: WebPaths; open: (link: WebLink) => void }) {
  const { t } = useTranslation('web');
  const { number } = useNumbers();
  const nameOf = useNodeName(paths.backward === true);
  const height = Math.max(320, Math.min(640, 46 * (paths.top + 2)));
  const { nodes, links: drawn } = sankey(links, {
    width: WIDTH - NAME_ROOM,
    height,
    bar: 10,
    gap: 20,
    backward: paths.backward === true,
  });
  const names = [...new Set(nodes.filter((node) => node.kind === 'named').map((node) => node.name))];
  const fill = (node: SankeyNode) =>
    node.kind === 'named' ? hueFill(HUES[names.indexOf(node.name) % HUES.length] ?? 'teal') : 'var(--line-strong)';
  const named = (node: SankeyNode) =>
    nameOf(node.kind === 'end' ? null : { name: node.name, rest: node.kind === 'rest' });
  const canOpen = (link: WebLink) => link.from.rest !== true && link.to?.rest !== true;
  const cut = (text: string) => (text.length > 22 ? `${text.slice(0, 21)}\u2026` : text);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a drawing that scrolls sideways must be reachable by keyboard
    <section className={css.scroll} aria-label={t('web:pathsDrawing')} tabIndex={0}>
      <svg
        className={css.sankey}
        viewBox={`0 -4 ${WIDTH} ${height + 12}`}
        width="100%"
        role="img"
        aria-label={t('web:pathsDrawing')}
      >
        {drawn.map(({ link, from, to, path }) => (
          // biome-ignore lint/a11y/noStaticElementInteractions: the table beside it opens the same by keyboard
          <path
            key={`${from.key} ${to.key}`}
            d={path}
            className={css.ribbon}
            style={{ '--ribbon': fill(from) } as CSSProperties}
            data-open={canOpen(link) || undefined}
            onClick={() => canOpen(link) && open(link)}
          >
            <title>{`${named(from)} \u2192 ${named(to)}: ${number(link.count)}`}</title>
          </path>
        ))}
        {nodes.map((node) => (
          <g key={node.key}>
            <rect x={node.x} y={node.y} width={10} height={node.height} rx={2} style={{ fill: fill(node) }}>
              <title>{`${named(node)}: ${number(node.value)}`}</title>
            </rect>
            <text x={node.x + 15} y={node.y + Math.min(node.height / 2, 14) + 4} className={css.nodeName}>
              {cut(named(node))} <tspan className={css.nodeCount}>{number(node.value)}</tspan>
            </text>
          </g>
        ))}
      </svg>
    </section>
  );
}

function Result({ paths }: { paths: WebPaths }) {
  const { t } = useTranslation('web');
  const { number, share } = useNumbers();
  const { ask, go } = useWeb();
  const [table, setTable] = useState(false);
  const { data, error, refetch, isPlaceholderData } = useQuery(webPathsQuery(ask, paths));
  const nameOf = useNodeName(paths.backward === true);
  if (data === undefined)
    return error === null ? <Skeleton height={320} /> : <ErrorState compact error={error} onRetry={() => refetch()} />;
  const whole = data.items.reduce((sum, link) => sum + (link.step === 1 ? link.count : 0), 0);
  const open = (link: WebLink) =>
    go(
      {
        who: {
          behind: {
            figure: 'way',
            paths,
            step: link.step,
            from: link.from.name,
            ...(link.to === null ? { ended: true } : { to: link.to.name }),
          },
        },
      },
      true,
    );
  return (
    <Panel
      title={t('web:waysOf', { shown: number(whole) })}
      aside={
        <>
          <IconButton
            label={table ? t('web:asChart') : t('web:asTable')}
            icon={table ? <IconChartSankey size={16} /> : <IconTable size={16} />}
            onClick={() => setTable(!table)}
          />
          <IconButton
            label={t('web:csv')}
            icon={<IconDownload size={16} />}
            onClick={() =>
              saveCsv(
                `paths-${ask.from}-${ask.to}`,
                [t('web:step'), t('web:from'), t('web:to'), t('web:ways')],
                data.items.map((link) => [link.step, nameOf(link.from), nameOf(link.to), link.count]),
              )
            }
          />
        </>
      }
    >
      <div data-dim={isPlaceholderData || undefined}>
        {data.items.length === 0 && (
          <EmptyState compact cause="no_match" title={t('web:nothing')} text={t('web:noWays')} />
        )}
        {data.items.length > 0 && !table && <Flow links={data.items} paths={paths} open={open} />}
        {data.items.length > 0 && table && (
          <Table
            label={t('web:tab.paths')}
            rows={data.items}
            rowKey={(link) => `${link.step} ${nameOf(link.from)} ${nameOf(link.to)}`}
            columns={[
              { key: 'step', label: t('web:step'), cell: (link) => link.step },
              { key: 'from', label: t('web:from'), cell: (link) => nameOf(link.from) },
              { key: 'to', label: t('web:to'), cell: (link) => nameOf(link.to) },
              {
                key: 'count',
                label: t('web:ways'),
                align: 'right',
                cell: (link) =>
                  link.from.rest === true || link.to?.rest === true ? (
                    number(link.count)
                  ) : (
                    <Behind label={t('web:showPeople')} onOpen={() => open(link)}>
                      {number(link.count)}
                    </Behind>
                  ),
              },
              {
                key: 'share',
                label: t('web:share'),
                align: 'right',
                minor: true,
                cell: (link) => share(link.count, whole),
              },
            ]}
          />
        )}
        <p className="muted">{t('web:means.paths')}</p>
      </div>
    </Panel>
  );
}

/** Which ways people take, from a page or to it. */
export function Paths() {
  const { t } = useTranslation('web');
  const { search, go } = useWeb();
  const names = useNames();
  const paths = clean(search.paths);
  const set = (change: Partial<WebPaths>) => go({ paths: { ...paths, ...change } });
  const choices = { pages: names.pages, events: names.events, both: [...names.pages, ...names.events] };
  return (
    <>
      <div className={css.form}>
        <SegmentedControl
          label={t('web:nodesOf')}
          value={paths.nodes}
          onChange={(nodes) => set({ nodes, node: '' })}
          options={(['pages', 'events', 'both'] as const).map((value) => ({ value, label: t(`web:nodes.${value}`) }))}
        />
        <SegmentedControl
          label={t('web:direction')}
          value={paths.backward === true ? 'to' : 'from'}
          onChange={(next) => set({ backward: next === 'to' })}
          options={[
            { value: 'from', label: t('web:waysFrom') },
            { value: 'to', label: t('web:waysTo') },
          ]}
        />
        <NameSelect
          label={paths.backward === true ? t('web:endNode') : t('web:startNode')}
          clearable
          placeholder={paths.backward === true ? t('web:endOfVisit') : t('web:startOfVisit')}
          value={paths.node ?? ''}
          names={choices[paths.nodes]}
          onChange={(node) => set({ node })}
        />
        <NumberInput
          label={t('web:depth')}
          value={paths.depth}
          min={3}
          max={6}
          onChange={(next) => set({ depth: next ?? 4 })}
        />
        <NumberInput
          label={t('web:top')}
          value={paths.top}
          min={1}
          max={20}
          onChange={(next) => set({ top: next ?? 7 })}
        />
      </div>
      <Result paths={paths} />
    </>
  );
}
