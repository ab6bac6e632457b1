import { IconFlask, IconPlus, IconSend, IconTrash } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import {
  type Campaign,
  type CampaignPlan,
  CHANNELS,
  campaignTrialQuery,
  faultsOf,
  segmentsQuery,
  templatesQuery,
  useDeleteCampaign,
  useMoveCampaign,
  useSaveCampaign,
  useTryCampaign,
} from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import {
  Button,
  confirm,
  IconButton,
  MultiSelect,
  NumberInput,
  Page,
  Panel,
  SegmentedControl,
  Select,
  TextInput,
  toast,
} from '@/ui';
import { Account, PlainWords, TaskFor } from './campaign-way';
import { type PartProps, When } from './campaign-when';
import css from './campaigns.module.css';
import { Trial } from './trial';

export const emptyPlan = (): CampaignPlan => ({
  segments: [],
  except: [],
  purpose: 'marketing',
  variants: [{ key: 'a', weight: 1 }],
  holdout: 10,
  start: null,
  local: false,
  per_minute: 0,
  drop_quiet: false,
  wait_cap: false,
  days: 14,
  cost: 0,
  fixed: 0,
  margin: 0,
  profile: '',
  utm_source: '',
  utm_medium: 'email',
  utm_campaign: '',
});

function Audience({ plan, set, at, disabled }: PartProps) {
  const { t } = useTranslation('campaigns');
  const segments = useQuery(segmentsQuery()).data?.items ?? [];
  const options = segments.map((segment) => ({ value: segment.key, label: segment.label }));
  return (
    <Panel title={t('campaigns:who')}>
      <div className={css.form}>
        <MultiSelect
          label={t('campaigns:segments')}
          searchable
          disabled={disabled}
          value={plan.segments}
          onChange={(next) => set({ segments: next })}
          options={options}
          error={at('segments') ?? at('segments.0')}
        />
        <MultiSelect
          label={t('campaigns:except')}
          searchable
          disabled={disabled}
          value={plan.except}
          onChange={(next) => set({ except: next })}
          options={options}
        />
        <div className={css.line}>
          <Select
            label={t('campaigns:purpose')}
            disabled={disabled}
            value={plan.purpose === '' ? 'none' : plan.purpose}
            onChange={(next) => set({ purpose: next === 'none' || next === null ? '' : next })}
            options={[
              { value: 'marketing', label: t('campaigns:purposes.marketing') },
              { value: 'none', label: t('campaigns:purposes.none') },
            ]}
          />
          <NumberInput
            label={t('campaigns:holdoutShare')}
            description={t('campaigns:holdoutText')}
            suffix="%"
            min={0}
            max={90}
            disabled={disabled || plan.purpose === ''}
            value={plan.holdout}
            onChange={(holdout) => set({ holdout: holdout ?? 0 })}
            error={at('holdout')}
          />
        </div>
      </div>
    </Panel>
  );
}

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

function Content(part: PartProps) {
  const { plan, set, at, disabled, channel } = part;
  const plain = channel === 'task' || channel === 'webhook';
  const { t } = useTranslation('campaigns');
  const list = (useQuery(templatesQuery()).data?.items ?? []).filter(
    (each) => each.channel === channel && !each.archived,
  );
  const change = (key: string, next: Partial<CampaignPlan['variants'][number]>) =>
    set({ variants: plan.variants.map((each) => (each.key === key ? { ...each, ...next } : each)) });
  const free = KEYS.find((key) => !plan.variants.some((each) => each.key === key));
  return (
    <Panel
      title={t('campaigns:what')}
      aside={plain ? undefined : <Link to="/templates">{t('campaigns:toTemplates')}</Link>}
    >
      <div className={css.form}>
        {plan.variants.map((variant, index) => (
          <div key={variant.key} className={css.line}>
            {plain ? (
              <PlainWords
                variant={variant}
                several={plan.variants.length > 1}
                disabled={disabled}
                error={at(`variants.${index}`)}
                onChange={(next) => change(variant.key, next)}
              />
            ) : (
              <Select
                label={
                  plan.variants.length > 1
                    ? t('campaigns:variant', { key: variant.key.toUpperCase() })
                    : t('campaigns:template')
                }
                searchable
                disabled={disabled}
                value={variant.template ?? null}
                onChange={(template) => change(variant.key, template === null ? {} : { template })}
                options={list.map((each) => ({ value: each.id, label: each.name }))}
                error={at(`variants.${index}`)}
              />
            )}
            {plan.variants.length > 1 && (
              <NumberInput
                label={t('campaigns:weight')}
                min={1}
                max={1000}
                disabled={disabled}
                value={variant.weight}
                onChange={(weight) => change(variant.key, { weight: weight ?? 1 })}
              />
            )}
            {plan.variants.length > 1 && !disabled && (
              <div className={css.tight}>
                <IconButton
                  label={t('campaigns:dropVariant', { key: variant.key.toUpperCase() })}
                  icon={<IconTrash size={16} />}
                  onClick={() => set({ variants: plan.variants.filter((each) => each.key !== variant.key) })}
                />
              </div>
            )}
          </div>
        ))}
        {free !== undefined && !disabled && (
          <span>
            <Button
              icon={<IconPlus size={15} />}
              onClick={() => set({ variants: [...plan.variants, { key: free, weight: 1 }] })}
            >
              {t('campaigns:addVariant')}
            </Button>
          </span>
        )}
        {(channel === 'sms' || channel === 'webhook') && <Account {...part} />}
        {channel === 'task' && <TaskFor {...part} />}
        {channel === 'email' && (
          <div className={css.line}>
            {(['utm_source', 'utm_medium', 'utm_campaign'] as const).map((key) => (
              <TextInput
                key={key}
                label={t(`campaigns:${key}`)}
                disabled={disabled}
                value={plan[key]}
                onChange={(text) => set({ [key]: text })}
              />
            ))}
          </div>
        )}
      </div>
    </Panel>
  );
}

interface EditProps {
  campaign?: Campaign;
  plan: CampaignPlan;
  back: ReactNode;
}
/** A draft: who, what, when; a dry run; and the start. */
export function CampaignEdit({ campaign, plan: first, back }: EditProps) {
  const { t } = useTranslation(['campaigns', 'common']);
  const can = useCan();
  const navigate = useNavigate();
  const [name, setName] = useState(campaign?.name ?? '');
  const [channel, setChannel] = useState(campaign?.channel ?? 'email');
  const [plan, setPlan] = useState(first);
  const client = useQueryClient();
  const trialOf = campaignTrialQuery(campaign?.id ?? '');
  const trial = useQuery(trialOf).data ?? null;
  const save = useSaveCampaign();
  const drop = useDeleteCampaign();
  const attempt = useTryCampaign();
  const move = useMoveCampaign();
  const faults = faultsOf(save.error ?? move.error ?? attempt.error);
  const disabled = !can('campaign.write');
  const dirty =
    campaign === undefined || name !== campaign.name || JSON.stringify(plan) !== JSON.stringify(campaign.plan);
  const set = (change: Partial<CampaignPlan>) => {
    setPlan({ ...plan, ...change });
    client.setQueryData(trialOf.queryKey, null);
  };
  const saved = async (): Promise<Campaign | null> => {
    move.reset();
    attempt.reset();
    if (!dirty && campaign !== undefined) return campaign;
    try {
      const got = await save.mutateAsync({
        ...(campaign !== undefined && { id: campaign.id }),
        version: campaign?.version ?? 0,
        name,
        channel,
        plan,
      });
      if (campaign === undefined) await navigate({ to: '/campaigns/$id', params: { id: got.id }, replace: true });
      return got;
    } catch {
      return null;
    }
  };
  const run = async () => {
    const got = await saved();
    if (got === null) return;
    attempt.mutateAsync(got.id).catch((error: Error) => toast.error(error.message));
  };
  const start = async () => {
    const got = await saved();
    if (got === null) return;
    const yes = await confirm({
      title: t('campaigns:startAsk', { name }),
      text: t('campaigns:startAskText'),
      confirm: t('campaigns:startYes'),
    });
    if (yes) move.mutate({ id: got.id, to: 'start', version: got.version });
  };
  const remove = async () => {
    if (campaign === undefined) return;
    const yes = await confirm({ title: t('campaigns:dropAsk', { name }), confirm: t('common:delete'), danger: true });
    if (!yes) return;
    await drop.mutateAsync(campaign.id);
    navigate({ to: '/campaigns', search: {} });
  };
  const part = { plan, set, at: faults.at, disabled, channel };
  return (
    <Page
      title={campaign?.name ?? t('campaigns:newTitle')}
      back={back}
      actions={
        <>
          {campaign !== undefined && !disabled && (
            <Button kind="subtle" onClick={remove}>
              {t('common:delete')}
            </Button>
          )}
          {!disabled && (
            <Button
              loading={save.isPending}
              disabled={!dirty}
              onClick={async () => (await saved()) !== null && toast.ok(t('campaigns:saved'))}
            >
              {t('common:save')}
            </Button>
          )}
          {can('campaign.send') && (
            <Button kind="primary" icon={<IconSend size={15} />} loading={move.isPending} onClick={start}>
              {t('campaigns:go')}
            </Button>
          )}
        </>
      }
    >
      <div className={css.split}>
        <div className={css.form}>
          <Panel title={t('campaigns:basics')}>
            <div className={css.form}>
              <TextInput
                label={t('campaigns:name')}
                disabled={disabled}
                value={name}
                onChange={setName}
                error={faults.at('name')}
              />
              {campaign === undefined ? (
                <SegmentedControl
                  label={t('campaigns:channel')}
                  value={channel}
                  onChange={(next) => {
                    setChannel(next);
                    set({ variants: emptyPlan().variants, utm_medium: next });
                  }}
                  options={CHANNELS.map((key) => ({ value: key, label: t(`campaigns:channels.${key}`) }))}
                />
              ) : (
                <p className={css.note}>
                  {t('campaigns:channel')}: {t(`campaigns:channels.${channel}`)}
                </p>
              )}
            </div>
          </Panel>
          <Audience {...part} />
          <Content {...part} />
          <When {...part} />
        </div>
        <div className={css.form}>
          <Panel
            title={t('campaigns:trial')}
            aside={
              <Button
                icon={<IconFlask size={15} />}
                loading={attempt.isPending}
                disabled={plan.segments.length === 0 || name.trim() === '' || disabled}
                onClick={run}
              >
                {t('campaigns:try')}
              </Button>
            }
          >
            {trial === null ? <p className={css.note}>{t('campaigns:trialText')}</p> : <Trial trial={trial} />}
          </Panel>
          {faults.rest !== null && (
            <p className={css.fault} role="alert">
              {faults.rest}
            </p>
          )}
        </div>
      </div>
    </Page>
  );
}
