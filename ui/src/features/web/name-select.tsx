import { useState } from 'react';
import { Select } from '@/ui';

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  names: readonly string[];
  /** Choices of our own before the names; `""` is shown by the placeholder. */
  own?: readonly { value: string; label: string }[];
  placeholder?: string;
  clearable?: boolean;
  hideLabel?: boolean;
}

/** One of the names that were seen, or one that is typed: it may come later. */
export function NameSelect({ label, value, onChange, names, own = [], placeholder, clearable, hideLabel }: Props) {
  const [typed, setTyped] = useState('');
  const known = new Set(own.map((one) => one.value));
  const list = [
    ...new Set([...(value === '' ? [] : [value]), ...names, ...(typed.trim() === '' ? [] : [typed.trim()])]),
  ];
  const isOwn = own.some((one) => one.label === typed);
  return (
    <Select
      {...(hideLabel === true ? { 'aria-label': label } : { label })}
      value={value === '' ? null : value}
      onChange={(next) => onChange(next ?? '')}
      onSearch={setTyped}
      searchable
      {...(clearable === true && { clearable })}
      {...(placeholder !== undefined && { placeholder })}
      options={[
        ...own,
        ...list
          .filter((name) => name !== '' && !known.has(name) && !(isOwn && name === typed))
          .map((name) => ({ value: name, label: name })),
      ]}
    />
  );
}
