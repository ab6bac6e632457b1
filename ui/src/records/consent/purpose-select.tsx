import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { consentPolicyQuery } from '@/api';
import { loadWords, useLabel, useTranslation } from '@/i18n';
import { useCan } from '@/metadata';
import { ControlSkeleton, Select } from '@/ui';

interface Props {
  /** "" for what answers or serves somebody. */
  value: string;
  onChange: (purpose: string) => void;
  error?: string | undefined;
}

/** What a mail is for: whoever did not agree to it gets none. Shown to those who see consents, and where a purpose is set. */
export function PurposeSelect(props: Props) {
  const [ready, setReady] = useState(false);
  const can = useCan();
  useEffect(() => {
    void loadWords('consent').then(() => setReady(true));
  }, []);
  if (!can('consent.read') && props.value === '') return null;
  return ready ? <Choice {...props} /> : <ControlSkeleton label="" />;
}

function Choice({ value, onChange, error }: Props) {
  const { t } = useTranslation('consent');
  const label = useLabel();
  const policy = useQuery(consentPolicyQuery()).data;
  const purposes = (policy?.purposes ?? []).filter((each) => !each.retired && each.channels.includes('email'));
  return (
    <Select
      label={t('consent:mail.purpose')}
      description={t(value === '' ? 'consent:mail.none' : 'consent:mail.asked')}
      value={value}
      onChange={(next) => onChange(next ?? '')}
      options={[
        { value: '', label: t('consent:mail.work') },
        ...purposes.map((each) => ({ value: each.key, label: label(each.label, each.key) })),
      ]}
      error={error}
    />
  );
}
