import {
  type Icon,
  IconAddressBook,
  IconBarcode,
  IconBox,
  IconBuildingStore,
  IconCategory,
  IconCube,
  IconFilter,
  IconHanger,
  IconListDetails,
  IconPackage,
  IconReceiptRefund,
  IconRoute,
  IconShirt,
  IconShoppingBag,
  IconTag,
  IconTags,
  IconUser,
  IconUsers,
} from '@tabler/icons-react';
import { lazy, Suspense } from 'react';
import { isMoreIcon } from './object-icon-names';

const ICONS: Record<string, Icon> = {
  users: IconUsers,
  user: IconUser,
  'address-book': IconAddressBook,
  contact: IconAddressBook,
  package: IconPackage,
  product: IconPackage,
  hanger: IconHanger,
  shirt: IconShirt,
  variant: IconShirt,
  barcode: IconBarcode,
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
  tags: IconTags,
  filter: IconFilter,
  category: IconCategory,
  box: IconBox,
};

// Those that only a workspace's own objects have are not part of every first page.
const More = lazy(() => import('./object-icon-more').then((module) => ({ default: module.MoreIcon })));

/** The icon that metadata names for an object; an unknown name is a plain cube. */
export function ObjectIcon({ name, size = 16 }: { name: string; size?: number }) {
  if (isMoreIcon(name))
    return (
      <Suspense fallback={<span style={{ width: size, height: size, flex: 'none' }} />}>
        <More name={name} size={size} />
      </Suspense>
    );
  const Sign = ICONS[name] ?? IconCube;
  return <Sign size={size} stroke={1.6} aria-hidden />;
}
