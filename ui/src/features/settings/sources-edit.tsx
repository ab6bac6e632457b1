import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { type EventSource, isApiError, sourceQuery, useCreateSource, useSaveSource } from '@/api';
import { useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { BackLink, ButtonLink, DetailHead, EmptyState, Loaded, toast } from '@/ui';
import { SourceForm } from './sources-form';
import { KeyDialog } from './sources-state';

export function SourceNewPage() {
  const { t } = useTranslation(['sources', 'common']);
  const can = useCan();
  const navigate = useNavigate();
  const create = useCreateSource();
  if (!can('source.manage')) return <EmptyState cause="no_permission" />;
  const made = create.data;
  return (
    <div className="stack">
      <DetailHead back={<BackLink to="/settings/sources" label={t('sources:back')} />} title={t('sources:add')} />
      <SourceForm
        error={create.error}
        saving={create.isPending}
        onSave={(input) => create.mutate(input)}
        cancel={<ButtonLink to="/settings/sources">{t('common:cancel')}</ButtonLink>}
      />
      {made !== undefined && (
        <KeyDialog
          source={made.source}
          secret={made.write_key}
          text={t('sources:key.once')}
          onClose={() => navigate({ to: '/settings/sources/$id', params: { id: made.source.id } })}
        />
      )}
    </div>
  );
}

export function SourceEditPage() {
  const { id = '' } = useParams({ strict: false });
  const can = useCan();
  const allowed = can('source.manage');
  // What is being edited does not change under the hands.
  const { data, error, refetch } = useQuery({ ...sourceQuery(id), enabled: allowed, refetchInterval: false });
  return (
    <Loaded allowed={allowed} data={data} error={error} onRetry={refetch}>
      {(source) => <Edit key={source.id} source={source} />}
    </Loaded>
  );
}

function Edit({ source: opened }: { source: EventSource }) {
  const { t } = useTranslation(['sources', 'common']);
  const navigate = useNavigate();
  const [source] = useState(opened);
  const save = useSaveSource();
  const back = { to: '/settings/sources/$id', params: { id: source.id } } as const;
  return (
    <div className="stack">
      <DetailHead
        back={<BackLink {...back} label={t('sources:backToOne')} />}
        title={t('sources:editOf', { name: source.name })}
      />
      <SourceForm
        source={source}
        error={save.error}
        saving={save.isPending}
        onSave={async (change) => {
          try {
            await save.mutateAsync({ id: source.id, version: source.version, change });
          } catch (error) {
            if (isApiError(error, 412)) toast.error(error.message);
            return;
          }
          toast.ok(t('common:saved'));
          await navigate(back);
        }}
        cancel={<ButtonLink {...back}>{t('common:cancel')}</ButtonLink>}
      />
    </div>
  );
}
