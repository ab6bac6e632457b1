import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { type ConsentPolicy, consentPolicyQuery, errorText, isApiError, saveConsentPolicy } from '@/api';
import { useTranslation } from '@/i18n';
import { toast } from '@/ui';

/** A draft of the policy with what saving it said. */
export function usePolicy(saved: ConsentPolicy) {
  const { t } = useTranslation(['consent', 'common']);
  const client = useQueryClient();
  const [draft, setDraft] = useState(saved);
  const [fault, setFault] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const problem = isApiError(fault) ? fault : null;
  const save = async () => {
    setBusy(true);
    setFault(null);
    try {
      const next = await saveConsentPolicy(draft);
      toast.ok(t('consent:settings.saved'));
      client.setQueryData(consentPolicyQuery().queryKey, next);
    } catch (failed) {
      setFault(failed);
      toast.error(t('common:failed.save'), { detail: errorText(failed) });
    } finally {
      setBusy(false);
    }
  };
  return {
    draft,
    setDraft,
    busy,
    save,
    dirty: JSON.stringify(draft) !== JSON.stringify(saved),
    reset: () => {
      setDraft(saved);
      setFault(null);
    },
    errorAt: (place: string) => problem?.at(place),
  };
}
