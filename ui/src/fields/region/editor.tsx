import { Cascader } from '@/ui';
import { useRegionTree } from '../base/region-tree';
import { inputProps } from '../base/text-editor';
import type { EditorProps } from '../kind';
import { regionCode } from './code';

export function RegionEditor(props: EditorProps) {
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
