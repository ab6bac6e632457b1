import type { AddressValue } from '@/api';
import { useTranslation } from '@/i18n';
import { Cascader, TextInput } from '@/ui';
import { useRegionTree } from '../base/region-tree';
import { editorKeys, inputProps } from '../base/text-editor';
import type { EditorProps } from '../kind';
import { asAddress } from './value';

export function AddressEditor(props: EditorProps) {
  const { t } = useTranslation('fields');
  const tree = useRegionTree();
  const address = asAddress(props.value);
  const set = (change: AddressValue) => props.onChange({ ...address, ...change });
  const { label, ...rest } = inputProps(props);
  const sized = rest.size === undefined ? {} : { size: rest.size };
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
            {...sized}
            aria-label={t('fields:address.street')}
            placeholder={t('fields:address.street')}
            value={address.street ?? ''}
            onChange={(street) => set({ street })}
            onKeyDown={editorKeys(props)}
          />
        </div>
        <TextInput
          {...sized}
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
