import { describe, expect, it } from 'vitest';
import { campaign, clean } from './page';
import type { Settings } from './types';

const settings = (more: Partial<Settings> = {}): Settings => ({
  host: 'https://crm.example',
  key: 'wk_x',
  query: [],
  hash: false,
  auto: () => true,
  domain: '',
  ignoreSignals: false,
  ...more,
});

describe('addresses', () => {
  it('keep campaigns and clicks of advertisements, and nothing that may name a person', () => {
    for (const [given, want] of [
      [
        'https://a.example/p?email=x%40y.z&utm_source=wechat&gclid=1#part',
        'https://a.example/p?utm_source=wechat&gclid=1',
      ],
      ['https://user:secret@a.example/p', 'https://a.example/p'],
      ['https://a.example/?bd_vid=1&fbclid=2&msclkid=3&token=4', 'https://a.example/?bd_vid=1&fbclid=2&msclkid=3'],
      ['http://', ''],
    ] as const)
      expect(clean(given, settings())).toBe(want);
  });
  it('keep what the site lists, and the part behind # where it makes pages', () => {
    const own = settings({ query: ['q'], hash: true });
    expect(clean('https://a.example/s?q=dress&sid=1#/two', own)).toBe('https://a.example/s?q=dress#/two');
    expect(clean(`https://a.example/${'x'.repeat(3000)}`, own)).toHaveLength(2000);
  });
});

describe('campaigns', () => {
  it('are told in the words of the specification', () => {
    expect(campaign('?utm_source=weibo&utm_campaign=autumn&utm_id=7&x=1')).toEqual({
      source: 'weibo',
      name: 'autumn',
      id: '7',
    });
    expect(campaign('?x=1')).toBeUndefined();
  });
});
