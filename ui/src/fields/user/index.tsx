import { useQuery } from '@tanstack/react-query';
import { usersQuery } from '@/api';
import { Avatar, Select } from '@/ui';
import { inputProps } from '../base/text-editor';
import { asText, isRef } from '../base/value-text';
import { defineKind, type EditorProps, OPS } from '../kind';

function UserEditor(props: EditorProps) {
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

export const userKind = defineKind({
  type: 'user',
  width: 130,
  operators: OPS.choice,
  display: (value) =>
    isRef(value) ? (
      <span className="row">
        <Avatar name={value.title} size={18} shape="round" />
        <span className="truncate">{value.title}</span>
      </span>
    ) : null,
  text: (value) => (isRef(value) ? value.title : asText(value)),
  toWrite: (value) => (isRef(value) ? value.id : (value ?? null)),
  Editor: UserEditor,
});
