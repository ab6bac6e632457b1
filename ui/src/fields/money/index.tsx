import { useFormat } from '@/i18n';
import { NumberInput } from '@/ui';
import { editorKeys, inputProps } from '../base/text-editor';
import { isMoney, plainNumber } from '../base/value-text';
import { defineKind, type EditorProps, OPS, parsed, refused } from '../kind';

function MoneyEditor(props: EditorProps) {
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

export const moneyKind = defineKind({
  type: 'money',
  align: 'right',
  width: 130,
  aggregate: ['sum', 'avg', 'min', 'max'],
  operators: OPS.number,
  text: (value, _, { fmt }) => (isMoney(value) ? fmt.money(value) : ''),
  parse(text, _, { fmt }) {
    if (text.trim() === '') return parsed(null);
    const bare = plainNumber(text);
    return bare === null ? refused : parsed({ amount: bare, currency: fmt.currency });
  },
  Editor: MoneyEditor,
});
