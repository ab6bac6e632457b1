import { useMutation } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { checkTrail } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Button, ErrorState, Facts, Modal, SkeletonRows, TextInput } from '@/ui';
import css from './settings.module.css';

/** Walks along the chain of the audit trail, and again against a head that somebody kept. */
export function TrailCheckDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('settings');
  const fmt = useFormat();
  const [kept, setKept] = useState('');
  const { mutate, data, error, isPending } = useMutation({ mutationFn: checkTrail });
  useEffect(() => mutate(''), [mutate]);
  return (
    <Modal opened onClose={onClose} title={t('settings:audit.checkTitle')} size={560}>
      <div className="stack" aria-live="polite">
        {isPending && <SkeletonRows rows={3} />}
        {error !== null && <ErrorState compact error={error} onRetry={() => mutate(kept)} />}
        {!isPending && data !== undefined && (
          <>
            <p className={data.ok ? css.checkOk : css.checkBroken}>
              {data.ok
                ? t('settings:audit.checkOk')
                : `${t('settings:audit.checkBroken')} ${t(`settings:audit.reason.${data.reason}`)}`}
            </p>
            <Facts>
              {!data.ok && data.place !== undefined && (
                <>
                  <dt>{t('settings:audit.checkPlace')}</dt>
                  <dd>
                    {fmt.number(data.place)} {data.entry && <code className="muted">{data.entry}</code>}
                  </dd>
                </>
              )}
              <dt>{t('settings:audit.checkEntries')}</dt>
              <dd>{fmt.number(data.entries)}</dd>
              {data.erased > 0 && (
                <>
                  <dt>{t('settings:audit.checkErased')}</dt>
                  <dd>{fmt.number(data.erased)}</dd>
                </>
              )}
              {data.ok && data.head !== '' && (
                <>
                  <dt>{t('settings:audit.checkHead')}</dt>
                  <dd>
                    <code className={css.head}>{data.head}</code>
                    <p className="muted">{t('settings:audit.checkHeadHint')}</p>
                  </dd>
                </>
              )}
            </Facts>
          </>
        )}
        <form
          className={css.against}
          onSubmit={(event) => {
            event.preventDefault();
            mutate(kept.trim());
          }}
        >
          <TextInput
            label={t('settings:audit.checkAgainst')}
            value={kept}
            onChange={setKept}
            placeholder="1234:9f86d081…"
          />
          <Button type="submit" disabled={kept.trim() === ''} loading={isPending}>
            {t('settings:audit.checkAgain')}
          </Button>
        </form>
      </div>
    </Modal>
  );
}
