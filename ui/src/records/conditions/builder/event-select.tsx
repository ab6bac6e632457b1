import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { seenEventsQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { Select, type SelectOption } from '@/ui';
import { ANY_EVENT } from '../events';
import css from './behaviour.module.css';

const STANDARD = ['Page Viewed', 'Screen Viewed', 'Identified', 'Grouped', 'Aliased', 'Page Engaged'];
/** The key of the words of an event that the program knows by itself. */
export const wordsOf = (name: string): string | null =>
  STANDARD.includes(name) ? `behaviour:name.${name.toLowerCase().replaceAll(' ', '_')}` : null;

interface TypedProps {
  label: string;
  value: string;
  options: readonly SelectOption[];
  onChange: (value: string) => void;
  placeholder?: string;
}

/** A list to choose from that takes a typed word too: a name may be asked for before it was ever seen. */
export function TypedSelect({ label, value, options, onChange, placeholder }: TypedProps) {
  const { t } = useTranslation('behaviour');
  const [typed, setTyped] = useState('');
  const own = typed.trim();
  const fresh = own !== '' && !options.some((option) => option.value === own || option.label === own);
  const shown = [
    ...options,
    ...(value !== '' && !options.some((option) => option.value === value) ? [{ value, label: value }] : []),
    ...(fresh && own !== value ? [{ value: own, label: t('behaviour:useTyped', { name: own }) }] : []),
  ];
  return (
    <Select
      aria-label={label}
      placeholder={placeholder}
      options={shown}
      value={value === '' ? null : value}
      onSearch={setTyped}
      onChange={(next) => next !== null && onChange(next)}
      searchable
    />
  );
}

interface Props {
  label: string;
  value: string;
  onChange: (event: string) => void;
}

/** Which event, from those that were seen, with how often. */
export function EventSelect({ label, value, onChange }: Props) {
  const { t } = useTranslation('behaviour');
  const fmt = useFormat();
  const seen = useQuery(seenEventsQuery()).data;
  const named = (name: string) => {
    const key = wordsOf(name);
    return key === null ? name : (t(key as never) as string);
  };
  const known = value === '' || value === ANY_EVENT || seen?.items.some(({ name }) => name === value) === true;
  const options = [
    { value: ANY_EVENT, label: t('behaviour:anyEvent') },
    ...(known ? [] : [{ value, label: named(value) }]),
    ...(seen?.items ?? []).map(({ name, count }) => ({
      value: name,
      label: `${named(name)} \u00b7 ${fmt.number(count)}`,
    })),
  ];
  const unseen =
    seen !== undefined && value !== '' && value !== ANY_EVENT && !seen.items.some((item) => item.name === value);
  return (
    <div className={css.event}>
      <TypedSelect
        label={label}
        placeholder={t('behaviour:chooseEvent')}
        value={value}
        options={options}
        onChange={onChange}
      />
      {unseen && <p className={css.hint}>{t('behaviour:neverSeen')}</p>}
    </div>
  );
}
