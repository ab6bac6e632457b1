import { IconRefresh } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { type Model, modelQuery, modelVersionQuery, useFitModel } from '@/api';
import { useFormat, useLabel, useTranslation } from '@/i18n';
import { useCan, useTraits } from '@/metadata';
import { BackLink, Button, Closed, EmptyState, ErrorState, Page, Panel, SkeletonRows, toast } from '@/ui';
import { Card } from './card';
import { Options } from './options';
import { ModelState } from './parts';
import { Log, Versions } from './versions';

/** One model: what it learned, how good it is, its settings, and the way back to an older version. */
export function ModelPage() {
  const { t } = useTranslation(['models', 'common']);
  const { key } = useParams({ strict: false }) as { key: string };
  const can = useCan();
  const allowed = can('segment.read');
  const { data, error, refetch } = useQuery({ ...modelQuery(key), enabled: allowed });
  const fit = useFitModel();
  const learn = async () => {
    try {
      await fit.mutateAsync(key);
      toast.ok(t('models:learning'));
    } catch (failed) {
      toast.error(t('common:failed.save'), { detail: failed instanceof Error ? failed.message : '' });
    }
  };
  const body = () => {
    if (!allowed) return <Closed cause="no_permission" />;
    if (data === undefined)
      return error === null ? <SkeletonRows rows={8} /> : <ErrorState error={error} onRetry={() => refetch()} />;
    return <One model={data} />;
  };
  return (
    <Page
      title={data?.label ?? t('models:title')}
      back={<BackLink to="/models" label={t('models:title')} />}
      actions={
        can('classification.write') &&
        data !== undefined && (
          <Button icon={<IconRefresh size={15} />} loading={fit.isPending || data.running} onClick={() => void learn()}>
            {t('models:learn')}
          </Button>
        )
      }
    >
      {body()}
    </Page>
  );
}

function One({ model }: { model: Model }) {
  const { t } = useTranslation('models');
  const can = useCan();
  const { version, beside } = useSearch({ strict: false }) as { version?: number; beside?: number };
  const shown = version ?? model.version;
  const other = useQuery({
    ...modelVersionQuery(model.key, shown),
    enabled: shown !== 0 && shown !== model.version,
  });
  const compared = useQuery({ ...modelVersionQuery(model.key, beside ?? 0), enabled: beside !== undefined });
  const card = shown === model.version ? model.active?.card : other.data?.card;
  return (
    <div className="stack">
      <Head model={model} />
      {model.version === 0 && <EmptyState cause="none" title={t('models:empty')} text={t('models:emptyText')} />}
      {shown !== model.version && shown !== 0 && <p className="muted">{t('models:looking', { number: shown })}</p>}
      {beside !== undefined && <p className="muted">{t('models:comparing', { number: beside })}</p>}
      {card !== undefined && <Card card={card} {...(compared.data?.card && { beside: compared.data.card })} />}
      {(model.versions?.length ?? 0) > 0 && <Versions model={model} shown={shown} />}
      {can('classification.write') && <Options key={model.edition} model={model} />}
      {(model.log?.length ?? 0) > 0 && <Log lines={model.log ?? []} />}
    </div>
  );
}

function Head({ model }: { model: Model }) {
  const { t } = useTranslation('models');
  const fmt = useFormat();
  const label = useLabel();
  const traits = useTraits();
  const written = model.traits.map((key) => label(traits.find((trait) => trait.key === key)?.label, key));
  return (
    <Panel>
      <div className="row">
        <ModelState model={model} />
        <span>{model.does}</span>
        {model.page !== undefined && <Link to={model.page}>{t('models:open')}</Link>}
      </div>
      {model.failure !== null && <p>{t('models:failure', { reason: model.failure })}</p>}
      <p className="muted">
        {[
          written.length > 0 && t('models:writes', { traits: written.join(t('models:between')) }),
          model.times.scored_at !== null &&
            t('models:scoredAt', {
              count: model.scored,
              customers: fmt.number(model.scored),
              when: fmt.relative(model.times.scored_at),
            }),
        ]
          .filter(Boolean)
          .join(' \u00b7 ')}
      </p>
    </Panel>
  );
}
