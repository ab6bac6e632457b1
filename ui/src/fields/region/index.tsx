import { Cascader } from '@/ui';
import { useRegionTree } from '../base/region-tree';
import { inputProps } from '../base/text-editor';
import { asText, isObject } from '../base/value-text';
import { defineKind, type EditorProps } from '../kind';

export const regionCode = (value: unknown): string => asText(isObject(value) ? value.code : value);

function RegionEditor(props: EditorProps) {
  const tree = useRegionTree();
  const code = regionCode(props.value);
  return (
    <Cascader
      {...inputProps(props)}
      options={tree.options}
      value={code === '' ? null : tree.path(code)}
      onChange={(path) => {
        const chosen = path?.at(-1);
        props.onChange(chosen === undefined ? null : { code: chosen, name: tree.name(chosen) });
      }}
      clearable
      {...(props.inCell && { defaultOpened: true })}
      {...(props.inCell && props.onCommit && { onClosed: props.onCommit })}
    />
  );
}

export const regionKind = defineKind({
  type: 'region',
  width: 190,
  operators: ['in', 'not_in', 'is_set', 'is_not_set'],
  text: (value) => (isObject(value) ? asText(value.name) : asText(value)),
  // A code (or the name as text, which the server looks up).
  toWrite: (value) => regionCode(value) || null,
  Editor: RegionEditor,
});
