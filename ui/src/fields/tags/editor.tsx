import { useQuery } from '@tanstack/react-query';
import { recordPageQuery } from '@/api';
import { TagsInput } from '@/ui';
import { inputProps } from '../base/text-editor';
import { asList } from '../base/value-text';
import type { EditorProps } from '../kind';

export function TagsEditor(props: EditorProps) {
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
