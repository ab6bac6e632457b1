import { useQueries, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { type Ref, recordPageQuery, recordQuery } from '@/api';
import { useTranslation } from '@/i18n';
import { useDebounced } from '@/lib/hooks';
import { MultiSelect, Select, type SelectOption } from '@/ui';

interface Shared {
  object: string;
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

/** Records of an object to choose from: what the search finds, and those chosen already. */
function useChoices(object: string, chosen: readonly Ref[]) {
  const { t } = useTranslation('common');
  const [search, setSearch] = useState('');
  const settled = useDebounced(search, 200);
  const chosenTitle = chosen.find((ref) => ref.title === settled);
  const wanted = chosenTitle === undefined ? settled : '';
  const found = useQuery({
    ...recordPageQuery(object, { limit: LIMIT, ...(wanted !== '' && { search: wanted }) }),
    placeholderData: (old) => old,
  });
  // Conditions keep ids only; their titles are asked for one by one, which is few.
  const nameless = chosen.filter((ref) => ref.title === '');
  const named = useQueries({ queries: nameless.map((ref) => ({ ...recordQuery(object, ref.id), retry: false })) });
  const titles = new Map<string, string>();
  for (const ref of chosen) titles.set(ref.id, ref.title || ref.id);
  for (const item of found.data?.items ?? []) titles.set(item.id, item.title);
  for (const [at, answer] of named.entries()) {
    const id = nameless[at]?.id;
    if (id !== undefined && answer.data !== undefined) titles.set(id, answer.data.title);
  }
  const options: SelectOption[] = [...titles].map(([value, label]) => ({ value, label }));
  const refOf = (id: string): Ref => ({ id, title: titles.get(id) ?? '', object });
  return { options, refOf, search, setSearch, empty: found.isFetching ? t('common:loading') : undefined };
}

export function RecordSelect({
  value,
  onChange,
  object,
  ...rest
}: Shared & { value: Ref | null; onChange: (value: Ref | null) => void }) {
  const chosen = useMemo(() => (value === null ? [] : [value]), [value]);
  const { options, refOf, setSearch, empty } = useChoices(object, chosen);
  return (
    <Select
      {...rest}
      options={options}
      value={value?.id ?? null}
      onChange={(id) => onChange(id === null ? null : refOf(id))}
      searchable
      clearable
      onSearch={setSearch}
      empty={empty}
    />
  );
}

export function RecordMultiSelect({
  value,
  onChange,
  object,
  ...rest
}: Shared & { value: Ref[]; onChange: (value: Ref[]) => void }) {
  const { options, refOf, search, setSearch, empty } = useChoices(object, value);
  return (
    <MultiSelect
      {...rest}
      options={options}
      value={value.map((ref) => ref.id)}
      onChange={(ids) => onChange(ids.map(refOf))}
      searchable
      searchValue={search}
      onSearch={setSearch}
      empty={empty}
    />
  );
}
