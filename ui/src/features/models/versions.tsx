import { useNavigate } from '@tanstack/react-router';
import { type Model, type ModelLine, type ModelVersion, useActivateModel } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { Button, confirm, Panel, Pill, Table, toast } from '@/ui';
import { Figure } from './parts';

/** All versions that are kept; one is in use, any other can be looked at, compared and put in use. */
export function Versions({ model, shown }: { model: Model; shown: number }) {
  const { t } = useTranslation(['models', 'common']);
  const fmt = useFormat();
  const can = useCan();
  const navigate = useNavigate();
  const activate = useActivateModel();
  const go = (search: { version?: number; beside?: number }) =>
    navigate({ to: '/models/$key', params: { key: model.key }, search, replace: true, resetScroll: false });
  const use = async (version: ModelVersion) => {
    const sure = await confirm({
      title: t('models:useTitle', { number: version.number }),
      text: t('models:useText'),
      confirm: t('models:use'),
    });
    if (!sure) return;
    try {
      await activate.mutateAsync({ key: model.key, number: version.number });
      toast.ok(t('models:used', { number: version.number }));
    } catch (error) {
      toast.error(t('common:failed.save'), { detail: error instanceof Error ? error.message : '' });
    }
  };
  return (
    <Panel flush title={t('models:versions')}>
      <Table<ModelVersion>
        label={t('models:versions')}
        rows={model.versions ?? []}
        rowKey={(version) => String(version.number)}
        columns={[
          {
            key: 'number',
            label: t('models:version'),
            cell: (version) => (
              <span className="row">
                {version.number}
                {version.active && <Pill color="green">{t('models:inUse')}</Pill>}
                {version.held_back && <Pill color="amber">{t('models:heldBack')}</Pill>}
              </span>
            ),
          },
          { key: 'at', label: t('models:fitted'), cell: (version) => fmt.datetime(version.fitted_at) },
          {
            key: 'cause',
            label: t('models:cause.label'),
            minor: true,
            cell: (version) => version.fitted_by?.title ?? t(`models:cause.${version.cause}`),
          },
          {
            key: 'until',
            label: t('models:until'),
            minor: true,
            cell: (version) => fmt.date(version.until),
          },
          {
            key: 'took',
            label: t('models:took'),
            align: 'right',
            minor: true,
            cell: (version) => t('models:seconds', { seconds: fmt.number(version.took_ms / 1000, 1) }),
          },
          {
            key: 'measure',
            label: t('models:quality'),
            align: 'right',
            cell: (version) => (version.measure === null ? '\u2013' : <Figure measure={version.measure} />),
          },
          {
            key: 'do',
            label: '',
            align: 'right',
            cell: (version) => (
              <span className="row">
                {version.number !== shown && (
                  <>
                    <Button kind="subtle" size="sm" onClick={() => go({ version: version.number })}>
                      {t('models:look')}
                    </Button>
                    <Button kind="subtle" size="sm" onClick={() => go({ version: shown, beside: version.number })}>
                      {t('models:compare')}
                    </Button>
                  </>
                )}
                {!version.active && can('classification.write') && (
                  <Button kind="subtle" size="sm" onClick={() => void use(version)}>
                    {t('models:use')}
                  </Button>
                )}
              </span>
            ),
          },
        ]}
      />
    </Panel>
  );
}

/** What happened to a model. */
export function Log({ lines }: { lines: readonly ModelLine[] }) {
  const { t } = useTranslation('models');
  const fmt = useFormat();
  return (
    <Panel flush title={t('models:log')}>
      <Table<ModelLine>
        label={t('models:log')}
        rows={lines}
        rowKey={(line) => line.at + line.what}
        columns={[
          { key: 'at', label: t('models:when'), cell: (line) => fmt.datetime(line.at) },
          {
            key: 'what',
            label: t('models:what'),
            cell: (line) => (
              <>
                {t(`models:did.${line.what}`, { version: line.version ?? '' })}
                {line.detail !== undefined && <span className="muted"> {line.detail}</span>}
              </>
            ),
          },
          { key: 'by', label: t('models:by'), minor: true, cell: (line) => line.by?.title ?? t('models:itself') },
          {
            key: 'took',
            label: t('models:took'),
            align: 'right',
            minor: true,
            cell: (line) =>
              line.took_ms === undefined ? '' : t('models:seconds', { seconds: fmt.number(line.took_ms / 1000, 1) }),
          },
        ]}
      />
    </Panel>
  );
}
