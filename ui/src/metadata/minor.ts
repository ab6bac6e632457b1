import { useFormat } from '@/i18n';
import { useSession } from './session';

/** Amounts in minor units of the base currency, in words and back. */
export function useMinor() {
  const fmt = useFormat();
  const { workspace } = useSession();
  const currency = workspace.currency;
  const digits =
    new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  const scale = 10 ** digits;
  return {
    text: (minor: number) => fmt.money({ amount: (minor / scale).toFixed(digits), currency }),
    value: (minor: number) => minor / scale,
    minor: (value: number | null) => Math.round((value ?? 0) * scale),
    digits,
  };
}
