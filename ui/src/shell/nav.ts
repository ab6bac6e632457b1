import {
  type Icon,
  IconActivity,
  IconAddressBook,
  IconBuildingStore,
  IconCalendarEvent,
  IconCategory,
  IconChartHistogram,
  IconCheckbox,
  IconCoin,
  IconCopyCheck,
  IconCube,
  IconFileImport,
  IconFilter,
  IconHome,
  IconListCheck,
  IconMapPin,
  IconNote,
  IconPackage,
  IconPhone,
  IconReceiptRefund,
  IconRoute,
  IconRubberStamp,
  IconSend,
  IconSettings,
  IconShoppingBag,
  IconSun,
  IconTemplate,
  IconTicket,
  IconUsers,
} from '@tabler/icons-react';
import type { Capability, ObjectType } from '@/api';
import type { Label } from '@/i18n';

export interface NavEntry {
  /** Names the words: shell:nav.<key>, and palette:pinyin.<key> for the palette. */
  key: string;
  to: string;
  icon: Icon;
  /** Of a list that metadata alone knows: what it is called and the name of its icon. */
  label?: Label;
  iconName?: string;
  /** The object that a list shows; the entry is hidden from those who may not read it. */
  object?: string;
  /** What somebody must be able to do; the entry is hidden from all others. */
  needs?: Capability;
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
  {
    key: null,
    entries: [
      { key: 'home', to: '/', icon: IconHome, go: 'h' },
      { key: 'day', to: '/day', icon: IconSun, go: 'd' },
      { key: 'approvals', to: '/approvals', icon: IconRubberStamp, go: 'a' },
    ],
  },
  {
    key: 'customers',
    entries: [
      list('customer', IconUsers, 'c'),
      list('contact', IconAddressBook),
      { ...list('feedback', IconNote), to: '/feedback' },
      { key: 'segments', to: '/segments', icon: IconFilter, go: 's', needs: 'segment.read' },
      { key: 'classifications', to: '/classifications', icon: IconCategory, go: 'l', needs: 'segment.read' },
    ],
  },
  {
    key: 'insight',
    entries: [
      { key: 'lifecycle', to: '/lifecycle', icon: IconRoute, needs: 'segment.read' },
      { key: 'actions', to: '/actions', icon: IconListCheck, needs: 'segment.read' },
      { key: 'value', to: '/value', icon: IconCoin, needs: 'report.read' },
      { key: 'churn', to: '/churn', icon: IconActivity, needs: 'report.read' },
      { key: 'recommend', to: '/recommend', icon: IconPackage, needs: 'segment.read' },
      { key: 'forecast', to: '/forecast', icon: IconChartHistogram, needs: 'report.read' },
      { key: 'clusters', to: '/clusters', icon: IconUsers, needs: 'segment.read' },
      { key: 'models', to: '/models', icon: IconCube, needs: 'segment.read' },
    ],
  },
  {
    key: 'engage',
    entries: [
      { key: 'campaigns', to: '/campaigns', icon: IconSend, needs: 'campaign.read' },
      { key: 'journeys', to: '/journeys', icon: IconRoute, needs: 'campaign.read' },
      { key: 'templates', to: '/templates', icon: IconTemplate, needs: 'campaign.read' },
      { key: 'offers', to: '/offers', icon: IconTicket, needs: 'offer.read' },
      { key: 'forms', to: '/forms', icon: IconAddressBook, needs: 'campaign.read' },
      { key: 'onsite', to: '/onsite', icon: IconNote, needs: 'campaign.read' },
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
  {
    key: 'work',
    entries: [
      list('task', IconCheckbox, 't'),
      list('call', IconPhone),
      list('meeting', IconCalendarEvent),
      list('visit', IconMapPin),
      list('note', IconNote),
    ],
  },
  {
    key: 'behaviour',
    entries: [
      { key: 'web', to: '/web', icon: IconChartHistogram, go: 'w', needs: 'web.read' },
      { key: 'interactions', to: '/interactions', icon: IconNote, needs: 'web.read' },
      { key: 'events', to: '/events', icon: IconActivity, needs: 'event.read' },
    ],
  },
  {
    key: 'data',
    entries: [
      { key: 'imports', to: '/imports', icon: IconFileImport, go: 'i', needs: 'import.run' },
      { key: 'jobs', to: '/jobs', icon: IconListCheck, go: 'j' },
      { key: 'duplicates', to: '/duplicates/customer', icon: IconCopyCheck, needs: 'record.merge' },
      { key: 'identities', to: '/identities', icon: IconCopyCheck, needs: 'record.merge' },
    ],
  },
  { key: null, entries: [{ key: 'settings', to: '/settings', icon: IconSettings, go: ',' }] },
];

/** Pages that stand in the palette alone. */
export const SETTINGS_PAGES = [
  'profile',
  'security',
  'users',
  'org',
  'roles',
  'sso',
  'apikeys',
  'reference',
  'webhooks',
  'sources',
  'mail',
  'channels',
  'automations',
  'objects',
  'approvals',
  'config',
  'currencies',
  'duplicates',
  'identity',
  'rfm',
  'traits',
  'consent',
  'privacy',
  'audit',
  'signins',
  'system',
] as const;
export type SettingsPage = (typeof SETTINGS_PAGES)[number];

/** The first four of these that the person may use stand beside "more" on a phone. */
const PHONE_CHOICE = ['home', 'day', 'customer', 'order', 'task', 'visit', 'contact', 'product'];
const PHONE_PLACES = 4;

export const ALL_ENTRIES: readonly NavEntry[] = NAV.flatMap((group) => group.entries);

/** The lists of objects that were made in this workspace. */
export const ownEntries = (objects: readonly ObjectType[]): NavEntry[] =>
  objects
    .filter((object) => !object.standard && !object.hidden)
    .map((object) => ({
      ...list(object.key, IconCube),
      label: object.plural,
      iconName: object.icon,
    }));

/** The groups of the sidebar; objects of the workspace's own stand between trade and data. */
export function navGroups(objects: readonly ObjectType[]): NavGroup[] {
  const own = ownEntries(objects);
  const at = NAV.findIndex((group) => group.key === 'data');
  return [...NAV.slice(0, at), ...(own.length > 0 ? [{ key: 'own', entries: own }] : []), ...NAV.slice(at)];
}

export function visibleEntries(
  entries: readonly NavEntry[],
  objects: readonly ObjectType[],
  can: (capability: Capability) => boolean,
): NavEntry[] {
  const known = new Set(objects.filter((object) => !object.hidden).map((object) => object.key));
  return entries.filter(
    (entry) =>
      (entry.object === undefined || known.size === 0 || known.has(entry.object)) &&
      (entry.needs === undefined || can(entry.needs)),
  );
}

/** The entries at the lower edge of a phone. */
export const phoneEntries = (
  objects: readonly ObjectType[],
  can: (capability: Capability) => boolean,
): readonly NavEntry[] =>
  visibleEntries(
    PHONE_CHOICE.flatMap((key) => ALL_ENTRIES.find((entry) => entry.key === key) ?? []),
    objects,
    can,
  ).slice(0, PHONE_PLACES);

export const isActive = (entry: NavEntry, pathname: string): boolean =>
  entry.to === '/' ? pathname === '/' : pathname === entry.to || pathname.startsWith(`${entry.to}/`);
