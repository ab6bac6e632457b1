import { IconCopy } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from '@/i18n';
import { copyText } from '@/lib/clipboard';
import { Button, SegmentedControl, toast } from '@/ui';
import css from './assistant.module.css';
import { CLIENTS, type Client, inTheOpen, KIND, settingsOf } from './assistant-clients';

/** Stands where a key goes until there is one. */
const PLACEHOLDER = 'gxk_\u2026';

function Copyable({ text, label, block }: { text: string; label: string; block?: boolean }) {
  const { t } = useTranslation(['assistants', 'common']);
  const copy = async () => {
    if (await copyText(text)) toast.ok(t('common:copied'));
  };
  return (
    <figure className={css.copyable} aria-label={label} data-block={block || undefined}>
      <pre className={css.code}>{text}</pre>
      <Button icon={<IconCopy size={15} />} aria-label={t('assistants:copyOf', { name: label })} onClick={copy}>
        {t('common:copy')}
      </Button>
    </figure>
  );
}

/** How an assistant is connected, for one program at a time; with the key filled in where it is known. */
export function AssistantGuide({ apiKey, brief }: { apiKey?: string | undefined; brief?: boolean }) {
  const { t } = useTranslation('assistants');
  const [client, setClient] = useState<Client>('claudeCode');
  const { origin } = window.location;
  const address = `${origin}/mcp`;
  return (
    <div className={css.guide}>
      {!brief && <p className="muted">{t('assistants:intro')}</p>}
      {!brief && (
        <div className={css.part}>
          <span className={css.name}>{t('assistants:address')}</span>
          <Copyable text={address} label={t('assistants:address')} />
        </div>
      )}
      {inTheOpen(address) && (
        <p className={css.warn} role="note">
          {t('assistants:inTheOpen')}
        </p>
      )}
      <div className={css.part}>
        <div className={css.clients}>
          <SegmentedControl
            label={t('assistants:client')}
            value={client}
            onChange={setClient}
            options={CLIENTS.map((each) => ({ value: each, label: t(`assistants:name.${each}`) }))}
          />
        </div>
        <p className="muted">{t(`assistants:how.${client}`)}</p>
        <Copyable
          block
          text={settingsOf(client, origin, apiKey ?? PLACEHOLDER)}
          label={t(KIND[client] === 'command' ? 'assistants:command' : 'assistants:settings')}
        />
      </div>
      {!brief && (
        <ul className={css.notes}>
          <li>{t('assistants:note.scopes')}</li>
          <li>{t('assistants:note.masked')}</li>
          <li>{t('assistants:note.trail')}</li>
        </ul>
      )}
    </div>
  );
}
