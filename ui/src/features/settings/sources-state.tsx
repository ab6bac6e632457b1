import { IconCopy } from '@tabler/icons-react';
import type { EventSource, SourceDay, SourceType } from '@/api';
import { useTranslation } from '@/i18n';
import { copyText } from '@/lib/clipboard';
import { Button, Modal, Pill, toast } from '@/ui';
import css from './settings.module.css';
import { Snippets } from './sources-snippets';

const DAYS = 30;
const DAY_MS = 86_400_000;
/** Without an event for so long a source is called silent. */
const SILENT_MS = 7 * DAY_MS;

/** Whether the key of a source stands in pages and apps, where anybody can read it. */
export const openKey = (type: SourceType): boolean => type === 'web' || type === 'sensors';

/** The last thirty days, those without events too. */
export function everyDay(source: EventSource, now = Date.now()): SourceDay[] {
  const known = new Map(source.days.map((day) => [day.day, day]));
  return Array.from({ length: DAYS }, (_, at) => {
    const day = new Date(now - (DAYS - 1 - at) * DAY_MS).toISOString().slice(0, 10);
    return known.get(day) ?? { day, accepted: 0, duplicate: 0, collision: 0, rejected: 0, withheld: 0 };
  });
}

/** On, silent, waiting for its first event, or off, in one word. */
export function SourceHealth({ source }: { source: EventSource }) {
  const { t } = useTranslation('sources');
  if (!source.enabled) return <Pill color="gray">{t('sources:health.off')}</Pill>;
  if (source.last_event_at === null) return <Pill color="amber">{t('sources:health.waiting')}</Pill>;
  if (Date.now() - Date.parse(source.last_event_at) > SILENT_MS)
    return <Pill color="amber">{t('sources:health.silent')}</Pill>;
  return <Pill color="green">{t('sources:health.on')}</Pill>;
}

/** A write key, this once, with texts to paste that have it in them. */
export function KeyDialog({
  source,
  secret,
  text,
  onClose,
}: {
  source: EventSource;
  secret: string;
  text: string;
  onClose: () => void;
}) {
  const { t } = useTranslation(['sources', 'common']);
  const copy = async () => {
    if (await copyText(secret)) toast.ok(t('common:copied'));
  };
  return (
    <Modal
      opened
      dismissible={false}
      onClose={onClose}
      title={t('sources:key.title')}
      footer={
        <Button kind="primary" onClick={onClose}>
          {t('sources:key.kept')}
        </Button>
      }
    >
      <div className="stack">
        <p className={css.warnBox} role="status">
          {text}
        </p>
        <div className={css.secret}>
          <code data-testid="write-key">{secret}</code>
          <Button icon={<IconCopy size={15} />} onClick={copy}>
            {t('common:copy')}
          </Button>
        </div>
        <Snippets type={source.type} secret={secret} />
      </div>
    </Modal>
  );
}
