import { useQuery } from '@tanstack/react-query';
import { recordPageQuery } from '@/api';
import { Pill, TagsInput } from '@/ui';
import { inputProps } from '../base/text-editor';
import { asList, optionOf, optionText, splitList } from '../base/value-text';
import { defineKind, type EditorProps, OPS, parsed } from '../kind';

function TagsEditor(props: EditorProps) {
  const known = useQuery({ ...recordPageQuery('tag', { limit: 100 }), staleTime: 60_000, retry: false });
  return (
    <TagsInput
      {...inputProps(props)}
      value={asList(props.value).map(String)}
      onChange={props.onChange}
      suggestions={known.data?.items.map((tag) => tag.title) ?? []}
    />
  );
}

export const tagsKind = defineKind({
  type: 'tags',
  width: 190,
  sortable: false,
  operators: OPS.many,
  display: (value, field, context) =>
    asList(value).map((item) => {
      const option = optionOf(item, field);
      return (
        <Pill key={String(item)} color={option?.color}>
          {optionText(option, context)}
        </Pill>
      );
    }),
  text: (value) => asList(value).map(String).join(', '),
  parse: (text) => parsed(splitList(text)),
  toWrite: (value) => asList(value),
  Editor: TagsEditor,
});
