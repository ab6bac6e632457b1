import { useQuery } from '@tanstack/react-query';
import { usersQuery } from '@/api';
import { Select } from '@/ui';
import { inputProps } from '../base/text-editor';
import { isRef } from '../base/value-text';
import type { EditorProps } from '../kind';

export function UserEditor(props: EditorProps) {
  const users = useQuery({ ...usersQuery(), retry: false });
  const chosen = isRef(props.value) ? props.value : null;
  const options = (users.data?.items ?? [])
    .filter((user) => !user.disabled)
    .map((user) => ({ value: user.id, label: user.name || user.email }));
  if (chosen !== null && !options.some((option) => option.value === chosen.id))
    options.push({ value: chosen.id, label: chosen.title });
  return (
    <Select
      {...inputProps(props)}
      options={options}
      value={chosen?.id ?? null}
      onChange={(id) =>
        props.onChange(
          id === null
            ? null
            : { id, object: 'user', title: options.find((option) => option.value === id)?.label ?? '' },
        )
      }
      searchable
      clearable
      {...(props.inCell && { defaultOpened: true })}
      {...(props.inCell && props.onCommit && { onClosed: props.onCommit })}
    />
  );
}
