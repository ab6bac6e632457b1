import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type Ref, searchQuery } from '@/api';
import { useLabel, useTranslation } from '@/i18n';
import { useDebounced } from '@/lib/hooks';
import { findObject, useObjectsIfLoaded } from '@/metadata';
import { Select, type SelectOption } from '@/ui';

interface Props {
  value: Ref | null;
  onChange: (value: Ref | null) => void;
  label?: React.ReactNode;
  description?: React.ReactNode;
  error?: React.ReactNode;
  required?: boolean;
  disabled?: boolean;
  autoFocus?: boolean;
  defaultOpened?: boolean;
  onClosed?: () => void;
  size?: 'sm' | 'lg';
  'aria-label'?: string;
}

const LIMIT = 20;

/** A record of whatever object, found by search; the list says of each what it is. */
export function AnyRecordSelect({ value, onChange, ...rest }: Props) {
  const { t } = useTranslation('common');
  const label = useLabel();
  const objects = useObjectsIfLoaded();
  const [search, setSearch] = useState('');
  const settled = useDebounced(search, 200);
  const asked = settled === value?.title ? '' : settled;
  const found = useQuery(searchQuery(asked, LIMIT));
  const refs = new Map<string, Ref>();
  if (value !== null) refs.set(value.id, value);
  if (asked !== '')
    for (const hit of found.data?.items ?? []) refs.set(hit.id, { id: hit.id, title: hit.title, object: hit.object });
  const options: SelectOption[] = [...refs.values()].map((ref) => ({
    value: ref.id,
    label: ref.title || ref.id,
    group: label(findObject(objects, ref.object)?.label, ref.object),
  }));
  const waiting = found.isFetching ? t('common:loading') : undefined;
  return (
    <Select
      {...rest}
      options={options}
      value={value?.id ?? null}
      onChange={(id) => onChange(id === null ? null : (refs.get(id) ?? null))}
      searchable
      clearable
      onSearch={setSearch}
      empty={asked === '' ? t('common:typeToSearch') : waiting}
    />
  );
}
