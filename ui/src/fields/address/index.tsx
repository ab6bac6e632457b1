import type { AddressValue } from '@/api';
import { useTranslation } from '@/i18n';
import { Cascader, TextInput } from '@/ui';
import { useRegionTree } from '../base/region-tree';
import { editorKeys, inputProps } from '../base/text-editor';
import { isObject } from '../base/value-text';
import { defineKind, type EditorProps, isEmptyValue, OPS, parsed } from '../kind';

const asAddress = (value: unknown): AddressValue => (isObject(value) ? (value as AddressValue) : {});

function AddressEditor(props: EditorProps) {
  const { t } = useTranslation('fields');
  const tree = useRegionTree();
  const address = asAddress(props.value);
  const set = (change: AddressValue) => props.onChange({ ...address, ...change });
  const { label, ...rest } = inputProps(props);
  return (
    <div className="stack" style={{ gap: 6 }}>
      <Cascader
        {...rest}
        label={label}
        placeholder={t('fields:address.region')}
        options={tree.options}
        value={address.region ? tree.path(address.region.code) : null}
        onChange={(path) => {
          const code = path?.at(-1);
          set({ region: code === undefined ? null : { code, name: tree.name(code) } });
        }}
        clearable
      />
      <div className="row">
        <div className="grow">
          <TextInput
            aria-label={t('fields:address.street')}
            placeholder={t('fields:address.street')}
            value={address.street ?? ''}
            onChange={(street) => set({ street })}
            onKeyDown={editorKeys(props)}
          />
        </div>
        <TextInput
          aria-label={t('fields:address.postcode')}
          placeholder={t('fields:address.postcode')}
          value={address.postcode ?? ''}
          onChange={(postcode) => set({ postcode })}
          style={{ width: 96 }}
        />
      </div>
    </div>
  );
}

export const addressKind = defineKind({
  type: 'address',
  width: 260,
  sortable: false,
  aggregate: [],
  operators: OPS.presence,
  text(value) {
    const { region, street, postcode } = asAddress(value);
    return [region?.name.replaceAll(' / ', ''), street, postcode].filter(Boolean).join(' ');
  },
  parse: (text) => parsed(text.trim() === '' ? null : { street: text.trim() }),
  toWrite(value) {
    if (isEmptyValue(value)) return null;
    const { region, ...rest } = asAddress(value);
    return { ...rest, region: region?.code ?? null };
  },
  Editor: AddressEditor,
});
