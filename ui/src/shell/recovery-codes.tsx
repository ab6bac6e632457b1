import { IconCopy, IconDownload } from '@tabler/icons-react';
import { useTranslation } from '@/i18n';
import { copyText } from '@/lib/clipboard';
import { saveText } from '@/lib/download';
import { Button, toast } from '@/ui';
import css from './factor.module.css';

/** Ten codes that are shown this once: to copy, to keep as a file, to print from there. */
export function RecoveryCodes({ codes, onKept }: { codes: string[]; onKept: () => void }) {
  const { t } = useTranslation(['auth', 'common']);
  const text = codes.join('\n');
  const copy = async () => {
    if (await copyText(text)) toast.ok(t('common:copied'));
  };
  const save = () =>
    saveText('guanxi-recovery-codes.txt', `${t('auth:recovery.file')}\n${location.origin}\n\n${text}\n`);
  return (
    <div className={css.form}>
      <p className={css.warn} role="status">
        {t('auth:recovery.once')}
      </p>
      <ol className={css.codes} aria-label={t('auth:recovery.title')}>
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <div className={css.row}>
        <Button icon={<IconDownload size={15} />} onClick={save}>
          {t('auth:recovery.download')}
        </Button>
        <Button icon={<IconCopy size={15} />} onClick={copy}>
          {t('common:copy')}
        </Button>
      </div>
      <Button kind="primary" size="lg" fullWidth onClick={onKept}>
        {t('auth:recovery.kept')}
      </Button>
    </div>
  );
}
