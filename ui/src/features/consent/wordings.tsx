import { IconPlus } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { addConsentWording, type ConsentPolicy, type ConsentWording, isApiError } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, EmptyState, Modal, Panel, Pill, Select, Textarea, toast } from '@/ui';
import css from './consent-settings.module.css';

/** The words that people agree to, by purpose; a version never changes. */
export function Wordings({ policy }: { policy: ConsentPolicy }) {
  const { t } = useTranslation('consent');
  const label = useLabel();
  const can = useCan();
  const [adding, setAdding] = useState<string | null>(null);
  const now = new Date().toISOString();
  return (
    <>
      <p className="muted">{t('consent:settings.wordingText')}</p>
      {policy.purposes
        .filter((purpose) => !purpose.retired || policy.wordings.some((each) => each.purpose === purpose.key))
        .map((purpose) => {
          const list = policy.wordings.filter((each) => each.purpose === purpose.key);
          const valid = list.filter((each) => each.valid_from <= now);
          const inForce = valid.toSorted((a, b) => b.valid_from.localeCompare(a.valid_from) || b.number - a.number)[0];
          return (
            <Panel
              key={purpose.key}
              title={label(purpose.label, purpose.key)}
              aside={
                can('consent.manage') && (
                  <Button icon={<IconPlus size={16} />} onClick={() => setAdding(purpose.key)}>
                    {t('consent:settings.addWording')}
                  </Button>
                )
              }
            >
              {list.length === 0 ? (
                <EmptyState
                  cause="none"
                  title={t('consent:settings.none')}
                  text={t('consent:settings.noneText')}
                  compact
                />
              ) : (
                <ul className={css.list}>
                  {list.toReversed().map((wording) => (
                    <Version key={wording.id} wording={wording} now={now} inForce={wording.id === inForce?.id} />
                  ))}
                </ul>
              )}
            </Panel>
          );
        })}
      <Modal
        opened={adding !== null}
        onClose={() => setAdding(null)}
        title={t('consent:settings.addWording')}
        size={640}
      >
        {adding !== null && <NewVersion policy={policy} purpose={adding} onClose={() => setAdding(null)} />}
      </Modal>
    </>
  );
}

function Version({ wording, now, inForce }: { wording: ConsentWording; now: string; inForce: boolean }) {
  const { t } = useTranslation('consent');
  const fmt = useFormat();
  const state = () => {
    if (inForce) return <Pill color="green">{t('consent:settings.inForce')}</Pill>;
    if (wording.valid_from > now)
      return <Pill color="blue">{t('consent:settings.later', { when: fmt.date(wording.valid_from) })}</Pill>;
    return <Pill color="gray">{t('consent:settings.past')}</Pill>;
  };
  return (
    <li className={css.item}>
      <div className={css.head}>
        <h3>{t('consent:version', { number: wording.number })}</h3>
        {state()}
        <span className={css.small}>
          {t('consent:settings.made', { when: fmt.datetime(wording.created_at) })}
          {wording.by !== null && ` \u00b7 ${wording.by.title ?? ''}`}
        </span>
      </div>
      {['zh-CN', 'en'].map((language) => (
        <p key={language} lang={language} className={css.words}>
          {wording.text[language]}
        </p>
      ))}
    </li>
  );
}

function NewVersion({ policy, purpose, onClose }: { policy: ConsentPolicy; purpose: string; onClose: () => void }) {
  const { t } = useTranslation(['consent', 'common']);
  const label = useLabel();
  const client = useQueryClient();
  const last = policy.wordings.filter((each) => each.purpose === purpose).at(-1);
  const [text, setText] = useState<Record<string, string>>(last?.text ?? {});
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>(null);
  const problem = isApiError(fault) ? fault : null;
  const send = async () => {
    setBusy(true);
    setFault(null);
    try {
      await addConsentWording({ purpose, text });
      await client.invalidateQueries({ queryKey: ['privacy', 'consents'] });
      toast.ok(t('consent:settings.saved'));
      onClose();
    } catch (failed) {
      setFault(failed);
    } finally {
      setBusy(false);
    }
  };
  const whole = fault instanceof Error && (problem === null || problem.fields.length === 0) ? fault.message : null;
  return (
    <form
      className={css.page}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <Select
        label={t('consent:purpose')}
        value={purpose}
        disabled
        onChange={() => undefined}
        options={policy.purposes.map((each) => ({ value: each.key, label: label(each.label, each.key) }))}
      />
      <Textarea
        label={t('consent:settings.textZh')}
        required
        minRows={4}
        maxRows={14}
        value={text['zh-CN'] ?? ''}
        onChange={(value) => setText({ ...text, 'zh-CN': value })}
        error={problem?.at('text.zh-CN')}
      />
      <Textarea
        label={t('consent:settings.textEn')}
        required
        minRows={4}
        maxRows={14}
        value={text.en ?? ''}
        onChange={(value) => setText({ ...text, en: value })}
        error={problem?.at('text.en')}
      />
      <section>
        <h3>{t('consent:settings.preview')}</h3>
        <p className={css.words}>{label(text)}</p>
      </section>
      {whole !== null && (
        <p className={css.problem} role="alert">
          {whole}
        </p>
      )}
      <div className={css.bar}>
        <Button onClick={onClose}>{t('common:cancel')}</Button>
        <Button type="submit" kind="primary" loading={busy}>
          {t('common:save')}
        </Button>
      </div>
    </form>
  );
}
