import { useFormat } from '@/i18n';
import { NumberInput } from '@/ui';
import { editorKeys, inputProps } from '../base/text-editor';
import { isMoney } from '../base/value-text';
import type { EditorProps } from '../kind';

export function MoneyEditor(props: EditorProps) {
  const { currency: usual, currencySign } = useFormat();
  const current = isMoney(props.value) ? props.value : null;
  const currency = current?.currency || usual;
  return (
    <NumberInput
      {...inputProps(props)}
      value={current?.amount ?? null}
      decimals={props.field.scale ?? 2}
      onChange={() => undefined}
      onText={(text) => {
        if (text === (current?.amount ?? '')) return;
        props.onChange(text === '' ? null : { amount: text, currency });
      }}
      onKeyDown={editorKeys(props)}
      leftSection={<span style={{ color: 'var(--text-3)' }}>{currencySign(currency)}</span>}
    />
  );
}
