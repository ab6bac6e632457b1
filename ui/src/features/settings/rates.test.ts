import { expect, it } from 'vitest';
import { byCurrency } from './rates';

it('exchange rates stand by currency, the newest first', () => {
  const of = (currency: string, from: string) => ({ currency, from, rate: '1' });
  const got = byCurrency([of('USD', '2026-01-01'), of('EUR', '2026-01-01'), of('USD', '2026-06-01')]);
  expect(got.map((rate) => `${rate.currency} ${rate.from}`)).toEqual([
    'EUR 2026-01-01',
    'USD 2026-06-01',
    'USD 2026-01-01',
  ]);
});
