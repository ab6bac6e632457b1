import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import type { RecordData } from '@/api';
import { useTranslation } from '@/i18n';
import { toast } from '@/ui';

/** A record that was merged answers with the one it is part of: the address follows, and the reader is told. */
export function useSurvivor(object: string, id: string, record: RecordData | undefined): void {
  const { t } = useTranslation('records');
  const navigate = useNavigate();
  const now = record === undefined || record.id === id ? undefined : record;
  useEffect(() => {
    if (now === undefined) return;
    toast.ok(t('records:page.mergedInto', { name: now.title || now.id }));
    void navigate({ to: '/o/$object/$id', params: { object, id: now.id }, search: {}, replace: true });
  }, [now, object, navigate, t]);
}
