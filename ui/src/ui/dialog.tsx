import { lazy, type ReactNode, Suspense, useState } from 'react';

export interface DialogProps {
  opened: boolean;
  onClose: () => void;
  title?: ReactNode;
  children: ReactNode;
  size?: number | string;
  /** Buttons at the lower right. */
  footer?: ReactNode;
  /** False for questions that must be answered. */
  dismissible?: boolean;
}
export interface DrawerProps extends DialogProps {
  side?: 'left' | 'right' | 'bottom';
}

const ModalImpl = lazy(() => import('./dialog-impl').then((module) => ({ default: module.ModalImpl })));
const DrawerImpl = lazy(() => import('./dialog-impl').then((module) => ({ default: module.DrawerImpl })));

/** True from the first time on that something was opened: its code is loaded only then. */
function useEver(opened: boolean): boolean {
  const [ever, setEver] = useState(opened);
  if (opened && !ever) setEver(true);
  return ever || opened;
}

export function Modal(props: DialogProps) {
  if (!useEver(props.opened)) return null;
  return (
    <Suspense>
      <ModalImpl {...props} />
    </Suspense>
  );
}

export function Drawer(props: DrawerProps) {
  if (!useEver(props.opened)) return null;
  return (
    <Suspense>
      <DrawerImpl {...props} />
    </Suspense>
  );
}
