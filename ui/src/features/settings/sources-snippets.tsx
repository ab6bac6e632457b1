import { IconCopy } from '@tabler/icons-react';
import { useState } from 'react';
import type { SourceType } from '@/api';
import { useTranslation } from '@/i18n';
import { copyText } from '@/lib/clipboard';
import { Button, SegmentedControl, toast } from '@/ui';
import css from './sources.module.css';

type Way = 'tracker' | 'next' | 'node' | 'go' | 'curl' | 'sa' | 'sajs' | 'hook';

const WAYS: Record<SourceType, readonly Way[]> = {
  web: ['tracker', 'next', 'sajs', 'curl'],
  server: ['node', 'go', 'curl'],
  sensors: ['sa', 'sajs'],
  webhook: ['hook'],
};

/** What to paste into a site or a program; product names and code are the same in every language. */
export function snippet(way: Way, origin: string, key: string): string {
  const { host, protocol } = new URL(origin);
  switch (way) {
    case 'tracker':
      return `<script>window.guanxi=window.guanxi||function(){(guanxi.q=guanxi.q||[]).push(arguments)}</script>
<script async src="${origin}/t.js" data-key="${key}"></script>`;
    case 'next':
      return `import { AnalyticsBrowser } from '@segment/analytics-next'

const analytics = AnalyticsBrowser.load({
  writeKey: '${key}',
  cdnSettings: { integrations: { 'Segment.io': {
    apiKey: '${key}', apiHost: '${host}/v1', protocol: '${protocol.slice(0, -1)}',
  } } },
})
analytics.page()`;
    case 'node':
      return `import { Analytics } from '@segment/analytics-node'

const analytics = new Analytics({ writeKey: '${key}', host: '${origin}', path: '/v1/batch' })
analytics.track({ userId: 'u1', event: 'Order Completed', properties: { order_id: '1001', revenue: 99 } })`;
    case 'go':
      return `client, err := analytics.NewWithConfig("${key}", analytics.Config{Endpoint: "${origin}"})
client.Enqueue(analytics.Track{UserId: "u1", Event: "Order Completed"})`;
    case 'curl':
      return `curl -u ${key}: ${origin}/v1/track \\
  -d '{"userId":"u1","event":"Order Completed","properties":{"order_id":"1001"}}'`;
    case 'sa':
      return `const SensorsAnalytics = require('sa-sdk-node')

const sa = new SensorsAnalytics()
sa.submitTo({ url: '${origin}/sa?project=default&token=${key}', gzip: true, mode: 'track', timeout: 10000 })
sa.track('u1', 'OrderCompleted', { order_id: '1001' })`;
    case 'sajs':
      return `sensors.init({
  server_url: '${origin}/sa?project=default&token=${key}',
  is_track_single_page: true,
})
sensors.quick('autoTrack')`;
    case 'hook':
      return `curl ${origin}/v1/hook/${key} -d '{"id":"1001","event":"Order Paid","user_id":"u1"}'`;
  }
}

/** Ready texts for one type of source. Without the key, which nobody knows any more, its place is marked. */
export function Snippets({ type, secret }: { type: SourceType; secret?: string | undefined }) {
  const { t } = useTranslation(['sources', 'common']);
  const ways = WAYS[type];
  const [way, setWay] = useState<Way>(ways[0] ?? 'curl');
  const text = snippet(way, window.location.origin, secret ?? t('sources:key.place'));
  const copy = async () => {
    if (await copyText(text)) toast.ok(t('common:copied'));
  };
  return (
    <div className={css.snippets}>
      <div className={css.ways}>
        {ways.length > 1 ? (
          <SegmentedControl
            label={t('sources:snippets')}
            value={way}
            onChange={setWay}
            options={ways.map((each) => ({ value: each, label: t(`sources:way.${each}`) }))}
          />
        ) : (
          <strong>{t(`sources:way.${way}`)}</strong>
        )}
        <Button icon={<IconCopy size={15} />} onClick={copy}>
          {t('common:copy')}
        </Button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: text that scrolls sideways must be reachable by keyboard */}
      <section className={css.code} tabIndex={0} aria-label={t('sources:snippetOf', { name: t(`sources:way.${way}`) })}>
        <pre>{text}</pre>
      </section>
    </div>
  );
}
