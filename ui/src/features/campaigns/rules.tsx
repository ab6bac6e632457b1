import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { CHANNELS, type ContactRules, contactRulesQuery, faultsOf, useSaveContactRules } from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, IconButton, Loaded, NumberInput, Panel, Select, Switch, TextInput, toast } from '@/ui';
import css from './campaigns.module.css';

const clockOf = (minutes: number) =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
function minutesOf(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return hours * 60 + minutes;
}

function Editor({ rules }: { rules: ContactRules }) {
  const { t } = useTranslation(['campaigns', 'common']);
  const may = useCan()('campaign.send');
  const [draft, setDraft] = useState(rules);
  const save = useSaveContactRules();
  const faults = faultsOf(save.error);
  const set = (change: Partial<ContactRules>) => setDraft({ ...draft, ...change });
  const windowOf = (channel: string) =>
    draft.windows.find((each) => each.channel === channel) ?? { channel, from: 0, to: 0 };
  const setWindow = (channel: string, change: { from?: number; to?: number }) =>
    set({
      windows: [...draft.windows.filter((each) => each.channel !== channel), { ...windowOf(channel), ...change }],
    });
  const setCap = (at: number, change: Partial<ContactRules['caps'][number]>) =>
    set({ caps: draft.caps.map((cap, index) => (index === at ? { ...cap, ...change } : cap)) });
  const submit = () =>
    save.mutate(draft, {
      onSuccess: (saved) => {
        setDraft(saved);
        toast.ok(t('campaigns:rules.saved'));
      },
    });
  return (
    <div className={css.form}>
      <Panel title={t('campaigns:rules.caps')}>
        <div className={css.form}>
          <p className={css.note}>{t('campaigns:rules.capsText')}</p>
          {draft.caps.map((cap, at) => (
            <div key={at} className={css.line}>
              <Select
                label={t('campaigns:channel')}
                disabled={!may}
                value={cap.channel === '' ? 'any' : cap.channel}
                onChange={(channel) => setCap(at, { channel: channel === 'any' || channel === null ? '' : channel })}
                options={[
                  { value: 'any', label: t('campaigns:anyChannel') },
                  ...CHANNELS.map((key) => ({ value: key, label: t(`campaigns:channels.${key}`) })),
                ]}
              />
              <NumberInput
                label={t('campaigns:rules.days')}
                disabled={!may}
                min={1}
                max={31}
                value={cap.days}
                onChange={(days) => setCap(at, { days: days ?? 1 })}
              />
              <NumberInput
                label={t('campaigns:rules.most')}
                disabled={!may}
                min={0}
                max={1000}
                value={cap.most}
                onChange={(most) => setCap(at, { most: most ?? 0 })}
              />
              {may && (
                <div className={css.tight}>
                  <IconButton
                    label={t('campaigns:rules.drop')}
                    icon={<IconTrash size={16} />}
                    onClick={() => set({ caps: draft.caps.filter((_, index) => index !== at) })}
                  />
                </div>
              )}
            </div>
          ))}
          {may && (
            <span>
              <Button
                icon={<IconPlus size={15} />}
                onClick={() => set({ caps: [...draft.caps, { channel: '', days: 7, most: 3 }] })}
              >
                {t('campaigns:rules.addCap')}
              </Button>
            </span>
          )}
        </div>
      </Panel>
      <Panel title={t('campaigns:rules.hours')}>
        <div className={css.form}>
          <p className={css.note}>{t('campaigns:rules.hoursText')}</p>
          {CHANNELS.map((channel) => (
            <div key={channel} className={css.line}>
              <TextInput
                label={t('campaigns:rules.from', { channel: t(`campaigns:channels.${channel}`) })}
                type="time"
                disabled={!may}
                value={clockOf(windowOf(channel).from)}
                onChange={(text) => setWindow(channel, { from: minutesOf(text) })}
              />
              <TextInput
                label={t('campaigns:rules.to', { channel: t(`campaigns:channels.${channel}`) })}
                type="time"
                disabled={!may}
                value={clockOf(windowOf(channel).to % 1440)}
                onChange={(text) => setWindow(channel, { to: minutesOf(text) })}
              />
            </div>
          ))}
        </div>
      </Panel>
      <Panel title={t('campaigns:rules.global')}>
        <div className={css.form}>
          <p className={css.note}>{t('campaigns:rules.globalText')}</p>
          <div className={css.line}>
            <NumberInput
              label={t('campaigns:rules.share')}
              suffix="%"
              decimals={1}
              min={0}
              max={50}
              disabled={!may}
              value={draft.holdout / 10}
              onChange={(share) => set({ holdout: Math.round((share ?? 0) * 10) })}
              error={faults.at('holdout')}
            />
            <TextInput
              label={t('campaigns:rules.cycle')}
              description={t('campaigns:rules.cycleText')}
              disabled={!may}
              value={draft.cycle}
              onChange={(cycle) => set({ cycle })}
              error={faults.at('cycle')}
            />
          </div>
          <Switch
            label={t('campaigns:rules.fourEyes')}
            description={t('campaigns:rules.fourEyesText')}
            disabled={!may}
            checked={draft.four_eyes}
            onChange={(four_eyes) => set({ four_eyes })}
          />
        </div>
      </Panel>
      {faults.rest !== null && (
        <p className={css.fault} role="alert">
          {faults.rest}
        </p>
      )}
      {may && (
        <span>
          <Button kind="primary" loading={save.isPending} onClick={submit}>
            {t('common:save')}
          </Button>
        </span>
      )}
    </div>
  );
}

/** What holds for all campaigns: how often, when, and whom nobody writes to. */
export function Rules() {
  const { data, error, refetch } = useQuery(contactRulesQuery());
  return (
    <Loaded allowed data={data} error={error} onRetry={() => refetch()}>
      {(rules) => <Editor key={rules.version} rules={rules} />}
    </Loaded>
  );
}
