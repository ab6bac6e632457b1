import {
  type Icon,
  IconAddressBook,
  IconBuildingStore,
  IconCategory,
  IconFileImport,
  IconFilter,
  IconHome,
  IconPackage,
  IconReceiptRefund,
  IconRoute,
  IconSettings,
  IconShoppingBag,
  IconUsers,
} from '@tabler/icons-react';
import type { ObjectType } from '@/api';

export interface NavEntry {
  /** Names the words: shell:nav.<key>, and shell:pinyin.<key> for the palette. */
  key: string;
  to: string;
  icon: Icon;
  /** The object that a list shows; the entry is hidden from those who may not read it. */
  object?: string;
  /** The second key after `g`. */
  go?: string;
}
export interface NavGroup {
  key: string | null;
  entries: NavEntry[];
}

const list = (object: string, icon: Icon, go?: string): NavEntry => ({
  key: object,
  to: `/o/${object}`,
  icon,
  object,
  ...(go !== undefined && { go }),
});

export const NAV: readonly NavGroup[] = [
  { key: null, entries: [{ key: 'home', to: '/', icon: IconHome, go: 'h' }] },
  {
    key: 'customers',
    entries: [
      list('customer', IconUsers, 'c'),
      list('contact', IconAddressBook),
      { key: 'segments', to: '/segments', icon: IconFilter, go: 's' },
      { key: 'classifications', to: '/classifications', icon: IconCategory, go: 'l' },
    ],
  },
  {
    key: 'trade',
    entries: [
      list('order', IconShoppingBag, 'o'),
      list('refund', IconReceiptRefund, 'r'),
      list('product', IconPackage, 'p'),
      list('store', IconBuildingStore),
      list('channel', IconRoute),
    ],
  },
  { key: 'data', entries: [{ key: 'imports', to: '/imports', icon: IconFileImport, go: 'i' }] },
  { key: null, entries: [{ key: 'settings', to: '/settings', icon: IconSettings, go: ',' }] },
];

/** Pages that stand in the palette alone. */
export const SETTINGS_PAGES = ['profile', 'users', 'apikeys', 'objects', 'rfm', 'audit', 'system'] as const;
export type SettingsPage = (typeof SETTINGS_PAGES)[number];

/** The four that fit beside "more" on a phone. */
export const PHONE_ENTRIES = ['home', 'customer', 'segments', 'order'];

export const ALL_ENTRIES: readonly NavEntry[] = NAV.flatMap((group) => group.entries);

export function visibleEntries(entries: readonly NavEntry[], objects: readonly ObjectType[]): NavEntry[] {
  const known = new Set(objects.filter((object) => !object.hidden).map((object) => object.key));
  return entries.filter((entry) => entry.object === undefined || known.size === 0 || known.has(entry.object));
}

export const isActive = (entry: NavEntry, pathname: string): boolean =>
  entry.to === '/' ? pathname === '/' : pathname === entry.to || pathname.startsWith(`${entry.to}/`);
