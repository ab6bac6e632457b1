import {
  IconArrowsSplit,
  IconCheck,
  IconFlag,
  IconGitBranch,
  IconHourglass,
  IconMail,
  IconPencil,
  IconSquareCheck,
  IconSwitch,
  IconTag,
  IconTicket,
  IconWorldUpload,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import {
  type JourneyStatus,
  type JourneyStep,
  type JourneyStepKind,
  type JourneyTrigger,
  offersQuery,
  segmentsQuery,
  templatesQuery,
} from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { findObject, useCan, useObjects } from '@/metadata';

export const STATUS_HUE: Record<JourneyStatus, string> = {
  draft: 'gray',
  live: 'green',
  paused: 'orange',
  stopped: 'red',
};

export const ICONS: { [K in JourneyStepKind]: ReactNode } = {
  wait: <IconHourglass size={16} />,
  branch: <IconGitBranch size={16} />,
  split: <IconArrowsSplit size={16} />,
  switch: <IconSwitch size={16} />,
  send: <IconMail size={16} />,
  update: <IconPencil size={16} />,
  tag: <IconTag size={16} />,
  task: <IconSquareCheck size={16} />,
  coupon: <IconTicket size={16} />,
  webhook: <IconWorldUpload size={16} />,
  goal: <IconFlag size={16} />,
  exit: <IconCheck size={16} />,
};

/** Names of what steps speak of. */
export function useNames() {
  const can = useCan();
  const label = useLabel();
  const objects = useObjects();
  const segments = useQuery({ ...segmentsQuery(), enabled: can('segment.read') }).data?.items ?? [];
  const templates = useQuery({ ...templatesQuery(), enabled: can('campaign.read') }).data?.items ?? [];
  const offers = useQuery({ ...offersQuery(), enabled: can('offer.read') }).data?.items ?? [];
  const fields = findObject(objects, 'customer')?.fields ?? [];
  return {
    segments,
    templates,
    offers,
    fields,
    objects,
    segment: (key?: string) => segments.find((one) => one.key === key)?.label ?? key ?? '',
    template: (id?: string) => templates.find((one) => one.id === id)?.name ?? '',
    offer: (id?: string) => offers.find((one) => one.id === id)?.name ?? '',
    field: (key?: string) => {
      const found = fields.find((one) => one.key === key);
      return found === undefined ? (key ?? '') : label(found.label);
    },
  };
}

/** What a step does, in a few words. */
export function useStepText() {
  const { t } = useTranslation('journeys');
  const names = useNames();
  const span = (wait: JourneyStep['wait'] = {}) =>
    (['days', 'hours', 'minutes'] as const)
      .filter((part) => (wait[part] ?? 0) > 0)
      .map((part) => t(`journeys:span.${part}`, { count: wait[part] ?? 0 }))
      .join(t('journeys:gap'));
  const waits = (step: JourneyStep) => {
    const wait = step.wait ?? {};
    if (wait.event === 'purchase') return t('journeys:text.purchase', { span: span(wait) });
    if (wait.event !== undefined) return t('journeys:text.event', { event: wait.event, span: span(wait) });
    if (wait.field !== undefined)
      return t('journeys:text.field', { field: names.field(wait.field), at: wait.at ?? '' });
    if (wait.date !== undefined) return t('journeys:text.date', { date: wait.date });
    return [span(wait), wait.at === undefined ? '' : t('journeys:text.at', { at: wait.at })]
      .filter((part) => part !== '')
      .join(t('journeys:comma'));
  };
  return (step: JourneyStep): string => {
    switch (step.kind) {
      case 'wait':
        return waits(step);
      case 'send':
        return names.template(step.template);
      case 'coupon':
        return names.offer(step.offer);
      case 'update':
        return names.field(step.field);
      case 'tag':
        return [...(step.add ?? []), ...(step.remove ?? [])].join(t('journeys:comma'));
      case 'task':
        return step.title ?? '';
      case 'webhook':
        return step.url ?? '';
      case 'switch':
        return names.field(step.field ?? step.trait);
      case 'branch':
      case 'split':
        return t('journeys:text.ways', { count: (step.ways?.length ?? 0) + (step.kind === 'branch' ? 1 : 0) });
      default:
        return '';
    }
  };
}

/** The name of a way of a step. */
export function useWayText() {
  const { t } = useTranslation('journeys');
  return (step: JourneyStep, index?: number): string => {
    if (index === undefined) return step.kind === 'wait' ? t('journeys:way.time') : t('journeys:way.else');
    const way = step.ways?.[index];
    if (way === undefined) return '';
    if (step.kind === 'wait') return t('journeys:way.event');
    const share = step.kind === 'split' ? t('journeys:way.share', { share: way.share ?? 0 }) : '';
    const named = way.label ?? (step.kind === 'switch' && way.value !== undefined ? String(way.value) : '');
    if (named !== '') return [named, share].filter((part) => part !== '').join(t('journeys:gap'));
    return share === '' ? t('journeys:way.number', { number: index + 1 }) : share;
  };
}

/** What lets people in, in a few words. */
export function useTriggerText() {
  const { t } = useTranslation('journeys');
  const label = useLabel();
  const names = useNames();
  return (trigger: JourneyTrigger): string => {
    switch (trigger.kind) {
      case 'segment_entered':
      case 'segment_left':
        return names.segment(trigger.segment);
      case 'event':
        return trigger.event ?? '';
      case 'record': {
        const object = findObject(names.objects, trigger.object ?? '');
        return object === undefined
          ? ''
          : `${label(object.label)}${t('journeys:gap')}${t(`journeys:change.${trigger.change ?? 'created'}`)}`;
      }
      case 'date':
        return t('journeys:text.onDate', {
          field: names.field(trigger.field),
          count: trigger.days ?? 0,
          at: trigger.at ?? '',
        });
      case 'schedule':
        return [
          t(`journeys:every.${trigger.every ?? 'day'}`),
          trigger.every === 'festival' ? t(`journeys:feast.${trigger.feast ?? 'spring'}`) : (trigger.date ?? ''),
          trigger.at ?? '',
          names.segment(trigger.segment),
        ]
          .filter((part) => part !== '')
          .join(t('journeys:comma'));
      default:
        return '';
    }
  };
}
