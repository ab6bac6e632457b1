import { IconArchive, IconArrowRight, IconDots } from '@tabler/icons-react';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { errorText, type ObjectType, useArchiveObject, useRestoreObject } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { findObject, useCan, useObjects } from '@/metadata';
import { BackLink, Button, ButtonLink, EmptyState, IconButton, Menu, ObjectIcon, Pill, Tabs, toast } from '@/ui';
import css from './object.module.css';
import { useAspects } from './object-aspects';
import { ObjectDisplay } from './object-display';
import { ObjectFields } from './object-fields';
import { ObjectRules } from './object-rules';
import { ObjectStages } from './object-stages';

type Tab = 'fields' | 'display' | 'rules' | 'stages';

function ArchiveMenu({ object, onRefused }: { object: ObjectType; onRefused: (reason: string) => void }) {
  const { t } = useTranslation(['shape', 'common']);
  const label = useLabel();
  const navigate = useNavigate();
  const archive = useArchiveObject();
  const restore = useRestoreObject();
  const name = label(object.label, object.key);
  // Awaited, not given as callbacks: they would be dropped with this page, which goes with its object.
  const putAway = async () => {
    try {
      await archive.mutateAsync(object.key);
    } catch (error) {
      return onRefused(errorText(error));
    }
    toast.ok(t('shape:archived.done', { name }), {
      action: { label: t('common:undo'), run: () => restore.mutate(object.key) },
    });
    return navigate({ to: '/settings/objects' });
  };
  return (
    <Menu
      target={<IconButton label={t('common:more')} icon={<IconDots size={16} />} />}
      position="bottom-end"
      entries={[
        {
          label: t('shape:archived.archive'),
          icon: <IconArchive size={15} />,
          danger: true,
          onSelect: () => void putAway(),
        },
      ]}
    />
  );
}

export function ObjectPage() {
  const { object: key = '' } = useParams({ strict: false });
  const object = findObject(useObjects(), key);
  if (object === undefined) return <EmptyState cause="not_found" />;
  return <Shaped key={object.key} object={object} />;
}

function Shaped({ object }: { object: ObjectType }) {
  const { t } = useTranslation(['settings', 'shape', 'formula', 'stages']);
  const label = useLabel();
  const can = useCan();
  const [tab, setTab] = useState<Tab>('fields');
  const [refused, setRefused] = useState<string | null>(null);
  const editable = can('schema.manage');
  const { create, update } = object.actions;
  // People are kept elsewhere: their object has no fields of a workspace's own.
  const stored = object.key !== 'user';
  const shown = object.fields.length;
  const aspects = useAspects<Tab>(object);
  return (
    <div className="stack">
      <div className={css.head}>
        <BackLink to="/settings/objects" label={t('settings:objects.back')} />
        <span className={css.headIcon}>
          <ObjectIcon name={object.icon} size={18} />
        </span>
        <h2>{label(object.label, object.key)}</h2>
        <code className="muted">{object.key}</code>
        {!object.standard && <Pill color="violet">{t('settings:objects.custom')}</Pill>}
        <span className="grow" />
        {!object.hidden && (create || update) && (
          <ButtonLink to="/o/$object" params={{ object: object.key }} icon={<IconArrowRight size={15} />}>
            {t('shape:object.open')}
          </ButtonLink>
        )}
        {editable && !object.standard && <ArchiveMenu object={object} onRefused={setRefused} />}
      </div>
      {refused !== null && (
        <div className={css.refused} role="alert">
          <span className="grow">{refused}</span>
          <Button kind="subtle" onClick={() => setRefused(null)}>
            {t('shape:understood')}
          </Button>
        </div>
      )}
      {editable && stored ? (
        <Tabs<Tab>
          label={label(object.label, object.key)}
          value={tab}
          onChange={setTab}
          items={[
            {
              value: 'fields',
              label: t('shape:tab.fields'),
              count: shown,
              content: <ObjectFields object={object} editable />,
            },
            { value: 'display', label: t('shape:tab.display'), content: <ObjectDisplay object={object} /> },
            ...aspects,
            {
              value: 'rules',
              label: t('formula:rule.tab'),
              count: object.rules?.length ?? 0,
              content: <ObjectRules object={object} />,
            },
            { value: 'stages', label: t('stages:settings.tab'), content: <ObjectStages object={object} /> },
          ]}
        />
      ) : (
        <ObjectFields object={object} editable={false} />
      )}
    </div>
  );
}
