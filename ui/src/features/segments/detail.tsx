import {
  IconAlertTriangle,
  IconCode,
  IconCopy,
  IconDots,
  IconPencil,
  IconRefresh,
  IconTrash,
} from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { type Segment, useRefreshSegment } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { copyText } from '@/lib/clipboard';
import { useIsPhone } from '@/lib/hooks';
import { useCan } from '@/metadata';
import { BackLink, Button, ButtonLink, IconButton, Menu, type MenuEntry, Page, Panel, Pill, toast } from '@/ui';
import { countCall } from './api-call';
import { SizeHistory } from './history';
import { Members } from './members';
import { Overlap } from './overlap';
import { SegmentRules } from './rules';
import css from './segments.module.css';
import { useDeleteWithWords } from './use-delete';

function useMenu(segment: Segment): MenuEntry[] {
  const { t } = useTranslation(['segments', 'common']);
  const navigate = useNavigate();
  const can = useCan();
  const remove = useDeleteWithWords(() => navigate({ to: '/segments' }));
  const copy: MenuEntry = {
    label: t('segments:copyApi'),
    icon: <IconCode size={15} />,
    onSelect: async () => {
      if (await copyText(countCall(segment.where, location.origin))) toast.ok(t('segments:copied'));
      else toast.error(t('segments:copyFailed'));
    },
  };
  if (!can('segment.write')) return [copy];
  return [
    {
      label: t('segments:duplicate'),
      icon: <IconCopy size={15} />,
      onSelect: () => {
        navigate({ to: '/segments/new', search: { from: segment.key } });
      },
    },
    copy,
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
  const menu = useMenu(segment);
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
      <div className={css.detail}>
        <Summary segment={segment} />
        <div className={css.columns}>
          <Members segment={segment} />
          <div className="stack">
            <SizeHistory segment={segment} />
            <Overlap segment={segment} />
            <SegmentRules segment={segment} />
          </div>
        </div>
      </div>
    </Page>
  );
}
