import {
  IconAlertTriangle,
  IconArrowsExchange,
  IconCode,
  IconCopy,
  IconDots,
  IconFileImport,
  IconPencil,
  IconRefresh,
  IconTrash,
  IconUsers,
} from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { type Segment, useRefreshSegment } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { copyText } from '@/lib/clipboard';
import { useIsPhone } from '@/lib/hooks';
import { useCan } from '@/metadata';
import { BackLink, Button, ButtonLink, IconButton, Menu, type MenuEntry, Page, Panel, Pill, toast } from '@/ui';
import { countCall } from './api-call';
import { SizeHistory } from './history';
import { Members } from './members';
import { Moves } from './moves';
import { Overlap } from './overlap';
import css from './segments.module.css';
import { useConvert } from './use-convert';
import { useDeleteWithWords } from './use-delete';
import { Uses } from './uses';

const SimilarDialog = lazy(() => import('./similar-dialog').then((module) => ({ default: module.SimilarDialog })));
const ListDialog = lazy(() => import('./list-dialog').then((module) => ({ default: module.ListDialog })));

function useMenu(segment: Segment, open: (what: 'list' | 'similar') => void): MenuEntry[] {
  const { t } = useTranslation(['segments', 'common']);
  const navigate = useNavigate();
  const can = useCan();
  const remove = useDeleteWithWords(() => navigate({ to: '/segments' }));
  const convert = useConvert();
  const toDynamic = !('segment' in segment.where && segment.where.segment === segment.key);
  const copy: MenuEntry = {
    label: t('segments:copyApi'),
    icon: <IconCode size={15} />,
    onSelect: async () => {
      if (await copyText(countCall(segment.where, location.origin))) toast.ok(t('segments:copied'));
      else toast.error(t('segments:copyFailed'));
    },
  };
  const similar: MenuEntry = {
    label: t('segments:similar.menu'),
    icon: <IconUsers size={15} />,
    onSelect: () => open('similar'),
  };
  if (!can('segment.write')) return [similar, copy];
  return [
    {
      label: t('segments:duplicate'),
      icon: <IconCopy size={15} />,
      onSelect: () => {
        navigate({ to: '/segments/new', search: { from: segment.key } });
      },
    },
    similar,
    copy,
    ...(segment.kind === 'dynamic' || toDynamic
      ? [
          {
            label: t(segment.kind === 'dynamic' ? 'segments:convert.toStatic' : 'segments:convert.toDynamic'),
            icon: <IconArrowsExchange size={15} />,
            onSelect: () => convert(segment),
          },
        ]
      : []),
    ...(segment.kind === 'static'
      ? [{ label: t('segments:list.change'), icon: <IconFileImport size={15} />, onSelect: () => open('list') }]
      : []),
    { divider: true },
    {
      label: t('common:delete'),
      icon: <IconTrash size={15} />,
      danger: true,
      onSelect: () => remove(segment),
    },
  ];
}

function Summary({ segment }: { segment: Segment }) {
  const { t } = useTranslation('segments');
  const fmt = useFormat();
  const label = useLabel();
  return (
    <Panel>
      <div className={css.summary}>
        <div className={css.summaryText}>
          <div className="row">
            <Pill color={segment.kind === 'dynamic' ? 'teal' : 'gray'}>{t(`segments:kind.${segment.kind}`)}</Pill>
            {segment.folder !== '' && <span className="muted">{segment.folder}</span>}
            <span className="muted truncate">{segment.key}</span>
          </div>
          <p className={css.sentenceBig}>{label(segment.sentence)}</p>
          {segment.description !== '' && <p className="muted">{segment.description}</p>}
        </div>
        <div className={css.summarySize}>
          <div className="muted">{t('segments:size')}</div>
          <div className={css.big}>{segment.size === null ? '\u2013' : fmt.number(segment.size)}</div>
          <div className="muted">
            {segment.size_at === null
              ? t('segments:notComputed')
              : t('segments:computedAt', { when: fmt.relative(segment.size_at) })}
          </div>
          {segment.checked_at !== null && (
            <div className={segment.differing === 0 ? 'muted' : css.fault} title={t('segments:checkedHelp')}>
              {t('segments:checked', { when: fmt.relative(segment.checked_at), count: segment.differing })}
            </div>
          )}
        </div>
      </div>
      {segment.broken !== null && (
        <p className={css.brokenBox} role="alert">
          <IconAlertTriangle size={16} aria-hidden />
          <span>
            <strong>{t('segments:broken')}</strong> {segment.broken}
          </span>
        </p>
      )}
    </Panel>
  );
}

export function SegmentDetail({ segment }: { segment: Segment }) {
  const { t } = useTranslation(['segments', 'common']);
  const can = useCan();
  const phone = useIsPhone();
  const refresh = useRefreshSegment();
  const [opened, setOpened] = useState<'list' | 'similar' | null>(null);
  const menu = useMenu(segment, setOpened);
  const close = () => setOpened(null);
  const run = () =>
    refresh.mutate(segment.key, {
      onSuccess: () => toast.ok(t('segments:refreshed')),
      onError: (error) => toast.error(error.message),
    });
  return (
    <Page
      title={segment.label}
      back={<BackLink to="/segments" label={t('segments:backToList')} />}
      actions={
        <>
          {phone ? (
            <IconButton
              label={t('segments:refresh')}
              icon={<IconRefresh size={17} />}
              loading={refresh.isPending}
              onClick={run}
            />
          ) : (
            <Button icon={<IconRefresh size={15} />} loading={refresh.isPending} onClick={run}>
              {t('segments:refresh')}
            </Button>
          )}
          {can('segment.write') && (
            <ButtonLink
              kind="primary"
              icon={<IconPencil size={15} />}
              to="/segments/$key"
              params={{ key: segment.key }}
              search={{ tab: 'edit' }}
            >
              {t('common:edit')}
            </ButtonLink>
          )}
          <Menu
            target={<IconButton label={t('segments:actions')} icon={<IconDots size={17} />} tooltip={false} />}
            entries={menu}
          />
        </>
      }
    >
      <Suspense>
        {opened === 'list' && <ListDialog segment={segment} onClose={close} />}
        {opened === 'similar' && <SimilarDialog segment={segment} onClose={close} />}
      </Suspense>
      <div className={css.detail}>
        <Summary segment={segment} />
        <div className={css.columns}>
          <Members segment={segment} />
          <div className="stack">
            <SizeHistory segment={segment} />
            <Overlap segment={segment} />
            <Moves segment={segment} />
            <Uses segment={segment} />
          </div>
        </div>
      </div>
    </Page>
  );
}
