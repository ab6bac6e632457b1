import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ratesQuery } from '@/api';
import { useFormat, useTranslation } from '@/i18n';
import { NumberInput } from '@/ui';
import { editorKeys, inputProps } from '../base/text-editor';
import { isMoney } from '../base/value-text';
import type { EditorProps } from '../kind';
import css from './money.module.css';

/** An amount; before it stands its currency, to be chosen where the workspace knows more than one. */
export function MoneyEditor(props: EditorProps) {
  const { t } = useTranslation('fields');
  const { currency: usual, currencySign } = useFormat();
  const rates = useQuery({ ...ratesQuery(), staleTime: 300_000, retry: false }).data?.rates ?? [];
  const current = isMoney(props.value) ? props.value : null;
  // What is chosen before there is an amount waits here for it.
  const [chosen, setChosen] = useState(current?.currency || usual);
  const currency = current?.currency || chosen;
  const known = [...new Set([usual, ...rates.map((rate) => rate.currency), currency])];
  const choice = (
    <select
      className={css.currency}
      aria-label={t('fields:money.currency')}
      value={currency}
      onChange={(event) => {
        setChosen(event.target.value);
        if (current !== null) props.onChange({ ...current, currency: event.target.value });
      }}
    >
      {known.map((code) => (
        <option key={code} value={code}>
          {code}
        </option>
      ))}
    </select>
  );
  const several = known.length > 1 && props.disabled !== true;
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
      leftSection={several ? choice : <span className={css.sign}>{currencySign(currency)}</span>}
      {...(several && { leftSectionWidth: 66 })}
    />
  );
}
