import {
  type Icon,
  IconAddressBook,
  IconBox,
  IconBuildingStore,
  IconCategory,
  IconCube,
  IconFilter,
  IconListDetails,
  IconPackage,
  IconReceiptRefund,
  IconRoute,
  IconShirt,
  IconShoppingBag,
  IconTag,
  IconUser,
  IconUsers,
} from '@tabler/icons-react';

const ICONS: Record<string, Icon> = {
  users: IconUsers,
  user: IconUser,
  'address-book': IconAddressBook,
  contact: IconAddressBook,
  package: IconPackage,
  product: IconPackage,
  shirt: IconShirt,
  variant: IconShirt,
  store: IconBuildingStore,
  'building-store': IconBuildingStore,
  channel: IconRoute,
  route: IconRoute,
  order: IconShoppingBag,
  'shopping-bag': IconShoppingBag,
  'shopping-cart': IconShoppingBag,
  'list-details': IconListDetails,
  list: IconListDetails,
  'receipt-refund': IconReceiptRefund,
  refund: IconReceiptRefund,
  tag: IconTag,
  filter: IconFilter,
  category: IconCategory,
  box: IconBox,
};

/** The icon that metadata names for an object; an unknown name is a plain cube. */
export function ObjectIcon({ name, size = 16 }: { name: string; size?: number }) {
  const Sign = ICONS[name] ?? IconCube;
  return <Sign size={size} stroke={1.6} aria-hidden />;
}
