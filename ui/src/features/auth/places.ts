export const CURRENCIES = [
  'CNY',
  'HKD',
  'TWD',
  'USD',
  'EUR',
  'GBP',
  'JPY',
  'KRW',
  'SGD',
  'MYR',
  'THB',
  'VND',
  'IDR',
  'INR',
  'AUD',
  'CAD',
  'CHF',
  'AED',
  'BRL',
];

const COMMON = [
  'Asia/Shanghai',
  'Asia/Hong_Kong',
  'Asia/Taipei',
  'Asia/Singapore',
  'Asia/Tokyo',
  'Europe/London',
  'Europe/Berlin',
  'America/New_York',
  'America/Los_Angeles',
];

/** Zones of the browser, the usual ones first. */
export function timeZones(): string[] {
  const all = typeof Intl.supportedValuesOf === 'function' ? Intl.supportedValuesOf('timeZone') : [];
  return [...COMMON, ...all.filter((zone) => !COMMON.includes(zone)), ...(all.includes('UTC') ? [] : ['UTC'])];
}

export function ownTimeZone(): string {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return zone === 'UTC' || zone === '' ? 'Asia/Shanghai' : zone;
}

/** "Asia/Shanghai (UTC+8)" */
export function zoneLabel(zone: string): string {
  const offset = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'shortOffset' })
    .formatToParts(0)
    .find((part) => part.type === 'timeZoneName')
    ?.value.replace('GMT', 'UTC');
  return offset === undefined ? zone : `${zone.replaceAll('_', ' ')} (${offset})`;
}
