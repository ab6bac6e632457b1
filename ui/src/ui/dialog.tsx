import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from 'react';

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
  /** Something was entered that is not saved: Escape, the cross and a click beside ask before it is given up. */
  dirty?: boolean;
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

const FADE = 600;
/**
 * What had the focus before gets it back afterwards. The dialog itself does so only from its second time on: the first time
 * its code comes after the press.
 */
function useFocusBack(opened: boolean): void {
  const [was, setWas] = useState(false);
  const before = useRef<Element | null>(null);
  if (opened !== was) {
    setWas(opened);
    if (opened) before.current = document.activeElement;
  }
  useEffect(() => {
    if (!opened) return;
    return () => {
      const last = before.current;
      if (!(last instanceof HTMLElement) || last === document.body) return;
      // The dialog fades out with the focus still in it; another one that opens instead keeps its own.
      const until = performance.now() + FADE;
      const look = () => {
        const now = document.activeElement;
        if ((now === null || now === document.body) && last.isConnected) last.focus({ preventScroll: true });
        else if (performance.now() < until) requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    };
  }, [opened]);
}

export function Modal(props: DialogProps) {
  useFocusBack(props.opened);
  if (!useEver(props.opened)) return null;
  return (
    <Suspense>
      <ModalImpl {...props} />
    </Suspense>
  );
}

export function Drawer(props: DrawerProps) {
  useFocusBack(props.opened);
  if (!useEver(props.opened)) return null;
  return (
    <Suspense>
      <DrawerImpl {...props} />
    </Suspense>
  );
}
