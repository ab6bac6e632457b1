import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { errorText, type IdentitySettings, identitySettingsQuery, isApiError, saveIdentitySettings } from '@/api';
import { useTranslation } from '@/i18n';
import { Button, ErrorState, Panel, SkeletonRows, TagsInput, toast } from '@/ui';
import css from './identities.module.css';
import { Namespaces } from './namespaces';
import { Mappings, OrderRules } from './people-settings';

/** Settings: how people are told apart, and what events make of customers and orders. */
export function IdentitySettingsPage() {
  const { t } = useTranslation('identities');
  const answer = useQuery(identitySettingsQuery());
  return (
    <div className={css.page}>
      <h2>{t('identities:settingsTitle')}</h2>
      <p className="muted">{t('identities:settingsText')}</p>
      {answer.isError && <ErrorState error={answer.error} onRetry={() => answer.refetch()} />}
      {answer.isPending && <SkeletonRows rows={8} />}
      {answer.data !== undefined && <Editor key={answer.data.identity.version} saved={answer.data} />}
    </div>
  );
}

function Editor({ saved }: { saved: IdentitySettings }) {
  const { t } = useTranslation(['identities', 'common']);
  const client = useQueryClient();
  const [draft, setDraft] = useState(saved);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const dirty = JSON.stringify(draft) !== JSON.stringify(saved);
  const problem = isApiError(error) ? error : null;
  const errorAt = (place: string) => problem?.at(place);
  const save = async () => {
    setBusy(true);
    try {
      const next = await saveIdentitySettings(draft);
      toast.ok(t('identities:saved'));
      client.setQueryData(identitySettingsQuery().queryKey, next);
    } catch (failed) {
      setError(failed);
      toast.error(t('common:failed.save'), { detail: errorText(failed) });
    } finally {
      setBusy(false);
    }
  };
  const identity = (change: Partial<IdentitySettings['identity']>) =>
    setDraft({ ...draft, identity: { ...draft.identity, ...change } });
  const people = (change: Partial<IdentitySettings['people']>) =>
    setDraft({ ...draft, people: { ...draft.people, ...change } });
  return (
    <>
      <Panel title={t('identities:namespaces')}>
        <div className={css.lines}>
          <p className="muted">{t('identities:namespacesText')}</p>
          <Namespaces
            list={draft.identity.namespaces}
            errorAt={errorAt}
            onChange={(namespaces) => identity({ namespaces })}
          />
          <TagsInput
            label={t('identities:blocked')}
            description={t('identities:blockedText')}
            value={draft.identity.blocked}
            error={errorAt('blocked')}
            onChange={(blocked) => identity({ blocked })}
          />
        </div>
      </Panel>
      <Panel title={t('identities:mappings')}>
        <Mappings people={draft.people} errorAt={errorAt} onChange={people} />
      </Panel>
      <Panel title={t('identities:orders')}>
        <OrderRules rules={draft.people.orders} errorAt={errorAt} onChange={(orders) => people({ orders })} />
      </Panel>
      <div className={css.pages}>
        {dirty && <span className="muted">{t('identities:unsaved')}</span>}
        {dirty && (
          <Button kind="subtle" onClick={() => setDraft(saved)}>
            {t('identities:discard')}
          </Button>
        )}
        <Button kind="primary" disabled={!dirty} loading={busy} onClick={() => void save()}>
          {t('common:save')}
        </Button>
      </div>
    </>
  );
}
